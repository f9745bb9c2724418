// SPDX-License-Identifier: Apache-2.0
package import Events
package import Messages
internal import Synchronization
package import System

/// Why a keeper did not answer.
package enum KeeperFailure: Error, Hashable, Sendable {
    /// The connection ended before the answer came; the keeper may have done what was asked.
    case closed
    /// It did not answer in time; it may still do what was asked.
    case timedOut
    case unexpectedAnswer
    case system(SystemError)
}

/// One connection to a keeper: requests with their answers, and what the keeper says of itself.
///
/// `run` reads; it ends with the connection, and every request that waits then fails with `.closed`. Each
/// waiting request is resumed exactly once, by whoever takes it out of `requests`.
package final class KeeperConnection: Sendable {
    /// A packet and the descriptors that came with it, in the order of their names.
    package struct Delivery: Sendable {
        package let packet: KeeperV1.Packet
        package let descriptors: [SharedDescriptor]
    }

    /// A request from the moment it is sent: its answer may be there before anybody waits for it.
    private enum Request {
        case sent
        case awaited(CheckedContinuation<KeeperV1.Packet, any Error>)
        case answered(Result<KeeperV1.Packet, any Error>)
    }

    private struct State {
        var nextID: UInt64 = 1
        var requests: [UInt64: Request] = [:]
        var isClosed = false
    }

    private let socket: SequencedSocket
    private let polled: SharedDescriptor
    private let poller: Poller
    private let state = Mutex(State())

    /// - Parameter socket: Connected; made non-blocking here.
    package init(_ socket: consuming SequencedSocket, poller: Poller) throws(SystemError) {
        try Files.setNonBlocking(socket.raw)
        polled = SharedDescriptor(try SystemEnvironment.duplicate(socket.raw))
        self.socket = socket
        self.poller = poller
    }

    /// Sends a request and waits for its answer.
    /// - Parameter limit: The longest wait; nil: rightly endless, it ends with the answer, the connection, or cancellation.
    package func request(
        _ body: KeeperV1.Packet.Body,
        descriptors: [SharedDescriptor] = [],
        within limit: Duration? = nil
    ) async throws(KeeperFailure) -> KeeperV1.Packet {
        try await answer(to: try await ask(body, descriptors: descriptors), within: limit)
    }

    /// A request that was sent, whose answer is to be waited for once.
    package struct Question: ~Copyable, Sendable { fileprivate let id: UInt64 }

    /// First half of `request`: sends it. What is asked next comes after it.
    package func ask(_ body: KeeperV1.Packet.Body, descriptors: [SharedDescriptor] = [])
        async throws(KeeperFailure) -> Question
    {
        let id = state.withLock { state in
            defer { state.nextID += 1 }
            state.requests[state.nextID] = .sent
            return state.nextID
        }
        do throws(KeeperFailure) { try await send(KeeperV1.Packet(id: id, body: body), descriptors) } catch {
            state.withLock { $0.requests[id] = nil }
            throw error
        }
        return Question(id: id)
    }

    /// Second half of `request`.
    package func answer(
        to question: consuming Question,
        within limit: Duration? = nil
    ) async throws(KeeperFailure) -> KeeperV1.Packet {
        let id = question.id
        defer { state.withLock { $0.requests[id] = nil } }
        do {
            let timer = limit.map {
                EventLoop.shared.schedule(after: $0) {
                    self.finish(id, .failure(KeeperFailure.timedOut))
                }
            }
            defer { if let timer { EventLoop.shared.cancel(timer) } }
            return try await answer(to: id)
        } catch let failure as KeeperFailure {
            throw failure
        } catch {
            throw .closed
        }
    }

    /// Sends what has no answer.
    package func tell(_ body: KeeperV1.Packet.Body) async throws(KeeperFailure) {
        try await send(KeeperV1.Packet(id: 0, body: body), [])
    }

    /// Reads until the connection ends. Answers go to who asked, after everything that came before them was
    /// received.
    package func run(_ receive: (Delivery) async -> Void) async {
        while let delivery = await nextDelivery() {
            let packet = delivery.packet
            switch packet.body {
            case .reply, .helloReply: finish(packet.id, .success(packet))
            default: await receive(delivery)
            }
        }
        close()
    }

    private func nextDelivery() async -> Delivery? {
        while !Task.isCancelled {
            do throws(SystemError) {
                guard let message = try socket.receive() else { return nil }
                // A keeper that sends what nobody understands is as good as none.
                guard let packet = try? KeeperV1.Packet(serialized: message.bytes) else { return nil }
                return Delivery(packet: packet, descriptors: message.descriptors)
            } catch {
                guard error.code == ErrorNumber.tryAgain else { return nil }
                do { try await poller.readable(polled) } catch { return nil }
            }
        }
        return nil
    }

    private func answer(to id: UInt64) async throws -> KeeperV1.Packet {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result: Result<KeeperV1.Packet, any Error>? = state.withLock { state in
                    if case .answered(let result)? = state.requests[id] { return result }
                    if state.isClosed { return .failure(KeeperFailure.closed) }
                    state.requests[id] = .awaited(continuation)
                    return nil
                }
                if let result { continuation.resume(with: result) }
                // A cancellation that came before the entry was there found nothing to end.
                if Task.isCancelled { finish(id, .failure(CancellationError())) }
            }
        } onCancel: {
            finish(id, .failure(CancellationError()))
        }
    }

    private func send(_ packet: KeeperV1.Packet, _ descriptors: [SharedDescriptor])
        async throws(KeeperFailure)
    {
        while true {
            do throws(SystemError) {
                return try socket.send(packet.serialized(), descriptors: descriptors.map(\.raw))
            } catch {
                if error.code == ErrorNumber.messageTooLong { throw .system(error) }
                guard error.code == ErrorNumber.tryAgain else {
                    // Nothing more goes over it: whoever reads finds its end, and connects anew.
                    UnixSocket.shutDown(polled.raw)
                    throw .closed
                }
            }
            do { try await poller.writable(polled) } catch { throw .closed }
        }
    }

    private func close() {
        let ids = state.withLock { state in
            state.isClosed = true
            return Array(state.requests.keys)
        }
        for id in ids { finish(id, .failure(KeeperFailure.closed)) }
    }

    private func finish(_ id: UInt64, _ result: Result<KeeperV1.Packet, any Error>) {
        let waiting: CheckedContinuation<KeeperV1.Packet, any Error>? = state.withLock { state in
            switch state.requests[id] {
            case .sent:
                state.requests[id] = .answered(result)
                return nil
            case .awaited(let continuation):
                state.requests[id] = .answered(result)
                return continuation
            case .answered, nil: return nil
            }
        }
        waiting?.resume(with: result)
    }
}
