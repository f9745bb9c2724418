// SPDX-License-Identifier: Apache-2.0
import Messages
import RPC
import Rendering
import Services
import Synchronization

/// Carries our standard input to a container's run, over as many engines as it takes.
final class InputCall: Sendable {
    private let engine: EngineConnection
    private let container: String
    private let outbox: Outbox
    /// The run that it is for, once it is known.
    private let run = Mutex<UInt64>(0)

    init(engine: EngineConnection, container: String, outbox: Outbox) {
        self.engine = engine
        self.container = container
        self.outbox = outbox
    }

    /// Ends with the run, or by cancellation. That a run is over is no failure here: its output and exit code tell.
    func carry() async throws(Failure) {
        let what = "attach to \(container)"
        var interruptions = Interruptions()
        while !Task.isCancelled {
            do throws(RPCError) {
                outbox.begin()
                return try await call()
            } catch {
                if [.notFound, .failedPrecondition, .cancelled].contains(error.code) { return }
                guard interruptions.count(error) else { throw engine.failure(what, error) }
                try await engine.comeBack(what, after: error)
            }
        }
    }

    private func call() async throws(RPCError) {
        do {
            try await engine.containers.attach { requests, responses in
                let start = EngineV1.AttachStart(container: self.container, run: self.run.withLock { $0 })
                try await requests.write(EngineV1.AttachRequest(body: .start(start)))
                try await withThrowingTaskGroup(of: Void.self) { group in
                    defer { group.cancelAll() }
                    group.addTask {
                        // A failure to send shows as the end of the responses, which says why.
                        try? await self.send(requests)
                        try await Task.sleep(for: .seconds(1 << 30))
                    }
                    group.addTask { try await self.receive(responses) }
                    try await group.next()
                }
            }
        } catch let error as RPCError {
            throw error
        } catch {
            throw RPCError(.cancelled, "\(error)")
        }
    }

    private func send(_ requests: RequestWriter<EngineV1.AttachRequest>) async throws {
        while true {
            switch try await outbox.next() {
            case .input(let bytes): try await requests.write(EngineV1.AttachRequest(body: .stdin(bytes)))
            case .endOfInput: try await requests.write(EngineV1.AttachRequest(body: .closeStdin(true)))
            case .acknowledge: continue
            case .finished: return requests.finish()
            }
        }
    }

    private func receive(_ responses: ResponseStream<EngineV1.AttachResponse>) async throws {
        while let response = try await responses.next() {
            switch response.body {
            case .started(let started): run.withLock { $0 = started.run }
            case .input(let state): outbox.accept(state.acceptedPosition)
            case nil: continue
            }
        }
    }
}
