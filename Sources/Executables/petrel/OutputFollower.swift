// SPDX-License-Identifier: Apache-2.0
import Events
import Messages
import RPC
import Rendering
import Services
import Synchronization

/// Copies a container's output to ours, and goes on after the last byte when the engine was restarted in between.
final class OutputFollower: Sendable {
    /// How long news of what was received may wait for more of it.
    private static let receiptInterval = Duration.milliseconds(5)
    /// How long a busy screen is waited for before the engine is asked whether it is still there; the answer is seen after as
    /// long again.
    private static let askAgain = Duration.seconds(5)

    private struct State {
        var request: EngineV1.LogsRequest
        /// Of the present call: that the engine does not take receipts any more.
        var isCutOff = false
        /// Everything has been received, whatever becomes of the call.
        var isAtEnd = false
    }

    private let engine: EngineConnection
    private let holds: Bool
    private let isAwaited: Bool
    private let container: String
    private let state: Mutex<State>
    private let changes = Changes()

    /// - Parameters:
    ///   - holds: No byte may be missing, even if the container has to wait for that.
    ///   - isAwaited: The container is not removed (`--rm`) before the engine knows that everything is here.
    init(
        engine: EngineConnection,
        request: EngineV1.LogsRequest,
        holds: Bool = false,
        isAwaited: Bool = false
    ) {
        self.engine = engine
        self.holds = holds
        self.isAwaited = isAwaited
        container = request.container
        state = Mutex(State(request: request))
    }

    /// Ends with the output, as the request defines it, once it is written.
    /// - Parameter endsWhenRemoved: Whether the container may go meanwhile (`--rm`), which is an end too.
    /// - Parameter begun: Called with each message; the first says that the reading has begun.
    func run(endsWhenRemoved: Bool = false, begun: () -> Void = {}) async throws(Failure) {
        let queue = ScreenQueue()
        // Not a group that can throw (see `Attachment.Parts`).
        let failure = await withTaskGroup(of: Void.self) { group -> Failure? in
            group.addTask { await queue.write() }
            defer { queue.finish() }
            do throws(Failure) { try await read(into: queue, endsWhenRemoved, begun) } catch { return error }
            return nil
        }
        if let failure { throw failure }
    }

    private func read(
        into queue: ScreenQueue,
        _ endsWhenRemoved: Bool,
        _ begun: () -> Void
    ) async throws(Failure) {
        let what = "logs of \(container)"
        var interruptions = Interruptions()
        var wasInterrupted = false
        while true {
            do throws(RPCError) {
                return try await call(queue, begun)
            } catch {
                if state.withLock({ $0.isAtEnd }) { return await letGo(what, after: error) }
                if endsWhenRemoved, error.code == .notFound {
                    if wasInterrupted {
                        Screen.say(
                            "petrel: \(what): it was removed while the engine was away; the last of them may be missing"
                        )
                    }
                    return
                }
                wasInterrupted = true
                guard interruptions.count(error) else { throw engine.failure(what, error) }
                try await engine.comeBack(what, after: error)
            }
        }
    }

    private static let letGoLimit = Duration.seconds(10)

    /// An engine that died before it knew that everything is here has left what it held for us, and the next one would wait
    /// for us to come back, and we for the container's removal. Of what fails here nothing is lost.
    private func letGo(_ what: String, after error: RPCError) async {
        guard holds, isAwaited else { return }
        let request = state.withLock { $0.request }
        var (last, interruptions) = (error, Interruptions())
        while interruptions.count(last), (try? await engine.comeBack(what, after: last)) != nil {
            do {
                let options = CallOptions(timeout: Self.letGoLimit)
                try await engine.containers.follow(options: options) { requests, responses in
                    try await requests.write(EngineV1.FollowRequest(body: .start(request)))
                    // It has taken up what was left; the end of the call ends that.
                    _ = try await responses.next()
                }
                return
            } catch {
                last = error as? RPCError ?? RPCError(.cancelled, "\(error)")
            }
        }
    }

    private func call(_ queue: ScreenQueue, _ begun: () -> Void) async throws(RPCError) {
        let request = state.withLock { state in
            (state.isCutOff, state.isAtEnd) = (false, false)
            return state.request
        }
        guard holds else {
            let responses = try await engine.containers.logs(request)
            return try await receive(responses, queue, begun)
        }
        let seen = changes.version
        do {
            let failure = try await engine.containers.follow { requests, responses in
                try await requests.write(EngineV1.FollowRequest(body: .start(request)))
                return await receive(responses, queue, acknowledgingTo: requests, since: seen, begun)
            }
            if let failure { throw failure }
        } catch let error as RPCError {
            throw error
        } catch {
            throw RPCError(.cancelled, "\(error)")
        }
    }

    private func receive(
        _ responses: ResponseStream<EngineV1.LogsResponse>,
        _ queue: ScreenQueue,
        acknowledgingTo requests: RequestWriter<EngineV1.FollowRequest>,
        since seen: UInt64,
        _ begun: () -> Void
    ) async -> RPCError? {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.acknowledge(to: requests, since: seen) }
            defer { group.cancelAll() }
            do throws(RPCError) {
                try await receive(responses, queue, begun) { requests.finish() }
            } catch {
                return error
            }
            return nil
        }
    }

    private func receive(
        _ responses: ResponseStream<EngineV1.LogsResponse>,
        _ queue: ScreenQueue,
        _ begun: () -> Void,
        atEnd: () -> Void = {}
    ) async throws(RPCError) {
        // It only says that the reading has begun.
        var isFirst = true
        while let response = try await responses.next() {
            if response.end {
                state.withLock { $0.isAtEnd = true }
                atEnd()
                continue
            }
            try await show(response, queue)
            begun()
            guard !response.position.isEmpty else { continue }
            state.withLock { $0.request.goOn(after: response.position) }
            if !isFirst { changes.announce() }
            isFirst = false
        }
    }

    /// Waits for the screen, but not for longer than the engine is there: the next one will want to know of us.
    private func show(_ response: EngineV1.LogsResponse, _ queue: ScreenQueue) async throws(RPCError) {
        guard !response.data.isEmpty || response.skippedBytes > 0 else { return }
        while !(await queue.add(response, within: Self.askAgain)) {
            if Task.isCancelled { throw RPCError(.cancelled, "the reading has ended") }
            guard holds else { continue }
            if state.withLock({ $0.isCutOff }) { throw RPCError(.unavailable, "the engine has gone") }
            // The answer to one more receipt tells.
            changes.announce()
        }
    }

    /// Tells the engine up to where everything is here, until the call ends.
    private func acknowledge(to requests: RequestWriter<EngineV1.FollowRequest>, since seen: UInt64) async {
        var seen = seen
        while (try? await changes.wait(beyond: seen)) != nil {
            seen = changes.version
            let position = state.withLock { $0.request.afterPosition }
            let receipt = EngineV1.FollowRequest(body: .receivedPosition(position))
            guard (try? await requests.write(receipt)) != nil else {
                return state.withLock { $0.isCutOff = true }
            }
            try? await Task.sleep(for: Self.receiptInterval)
        }
    }
}

extension EngineV1.LogsRequest {
    /// The position knows how far the tail was; asking for one again would skip what came meanwhile.
    fileprivate mutating func goOn(after position: String) {
        afterPosition = position
        tail = nil
        fromEnd = false
    }
}
