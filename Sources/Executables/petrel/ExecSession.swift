// SPDX-License-Identifier: Apache-2.0
import Messages
import RPC
import Rendering
import Services
import Synchronization
import System

/// A program run in a container with us looking on; goes on, where it was, after the engine was restarted.
final class ExecSession: Sendable {
    private let engine: EngineConnection
    private let start: EngineV1.ExecStart
    /// Known once the engine has begun it: from then on the call can be resumed.
    private let execID = Mutex<String?>(nil)
    private let input: StandardInput?

    init(engine: EngineConnection, start: EngineV1.ExecStart) throws {
        self.engine = engine
        self.start = start
        input = start.openStdin ? try StandardInput() : nil
    }

    /// - Returns: The program's exit code; 0 for a detached one.
    func run() async throws -> Int32 {
        let what = "exec in \(start.container)"
        var interruptions = Interruptions()
        while true {
            do {
                return try await engine.containers.exec { requests, responses in
                    try await self.converse(requests, responses)
                }
            } catch let error as RPCError {
                // Before the answer `started` nobody can tell whether the program runs: repeating might run it twice.
                guard execID.withLock({ $0 }) != nil, interruptions.count(error) else {
                    throw engine.failure(
                        what,
                        error,
                        exitCode: EngineConnection.startExitCode(error, otherwise: 1)
                    )
                }
                try await engine.comeBack(what, after: error)
            }
        }
    }

    private func converse(
        _ requests: RequestWriter<EngineV1.ExecRequest>,
        _ responses: ResponseStream<EngineV1.ExecResponse>
    ) async throws -> Int32 {
        if let execID = execID.withLock({ $0 }) {
            let resume = EngineV1.ExecResume(container: start.container, execId: execID)
            try await requests.write(EngineV1.ExecRequest(body: .resume(resume)))
        } else {
            try await requests.write(EngineV1.ExecRequest(body: .start(start)))
        }
        guard input != nil else {
            requests.finish()
            return try await receive(responses)
        }
        return try await withThrowingTaskGroup(of: Int32?.self) { group in
            group.addTask {
                // A failure to send shows as the end of the responses, which says why.
                try? await self.sendInput(to: requests)
                return nil
            }
            group.addTask { try await self.receive(responses) }
            while let code = try await group.next() {
                guard let code else { continue }
                group.cancelAll()
                return code
            }
            return 0
        }
    }

    private func receive(_ responses: ResponseStream<EngineV1.ExecResponse>) async throws -> Int32 {
        while let response = try await responses.next() {
            switch response.body {
            case .started(let started): execID.withLock { $0 = started.execId }
            case .output(let output): Screen.write(output.data, to: output.stream == 2 ? 2 : 1)
            case .exit(let exit):
                if !exit.error.isEmpty { Screen.say("petrel: exec in \(start.container): \(exit.error)") }
                return Int32(truncatingIfNeeded: exit.exitCode)
            case nil: continue
            }
        }
        guard start.detached else {
            throw RPCError(.unavailable, "the engine ended the call without an exit code")
        }
        return 0
    }

    private func sendInput(to requests: RequestWriter<EngineV1.ExecRequest>) async throws {
        guard let input else { return }
        while let chunk = await input.next() {
            try await requests.write(EngineV1.ExecRequest(body: .stdin(chunk)))
        }
        // Nil also means that this connection is over, in which case the input goes on with the next one.
        guard !Task.isCancelled else { return }
        try await requests.write(EngineV1.ExecRequest(body: .closeStdin(true)))
        requests.finish()
    }
}
