// SPDX-License-Identifier: Apache-2.0
import Messages
import RPC
import Rendering
import Services
import Synchronization
import System

/// A program run in a container with us looking on; goes on, to the byte, after the engine was restarted.
final class ExecSession: Sendable {
    private let engine: EngineConnection
    private let start: EngineV1.ExecStart
    private let keys: DetachKeys
    /// Known once the engine has said it: from then on the call is resumed. Before that it is repeated, with the id of
    /// our choice.
    private let execID = Mutex<String?>(nil)
    private let hasBegun = Milestone()
    private let outbox = Outbox()

    init(engine: EngineConnection, start: EngineV1.ExecStart, keys: DetachKeys) throws(SystemError) {
        self.engine = engine
        var start = start
        start.execId = try EngineConnection.newKey()
        self.start = start
        self.keys = keys
    }

    private var what: String { "exec in \(start.container)" }

    /// - Returns: The program's exit code; 0 for one that is detached, at once or later.
    func run() async throws -> Int32 {
        defer { Console.restore() }
        // Most execs have no input, and should not wait for what the first use of a group that can throw costs: the
        // runtime goes through all of the program's conformances.
        guard start.openStdin else { return try await callUntilItEnds() }
        return try await withThrowingTaskGroup(of: Int32?.self) { group in
            defer { group.cancelAll() }
            group.addTask { [self] in
                if start.terminal {
                    // Not before: what waits for an engine that does not answer can be interrupted.
                    try await hasBegun.wait()
                    try Console.enterRaw()
                }
                guard try await outbox.pump(start.terminal ? keys : nil) else { return nil }
                Console.restore()
                Screen.say("read escape sequence")
                return 0
            }
            group.addTask { [self] in try await callUntilItEnds() }
            while let code = try await group.next() {
                if let code { return code }
            }
            return 0
        }
    }

    private func callUntilItEnds() async throws -> Int32 {
        var interruptions = Interruptions()
        while true {
            do {
                outbox.begin()
                return try await engine.containers.exec { requests, responses in
                    try await self.converse(requests, responses)
                }
            } catch let error as RPCError {
                guard interruptions.count(error) else {
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
            let written = outbox.written
            let resume = EngineV1.ExecResume(
                container: start.container,
                execId: execID,
                stdoutPosition: written.output,
                stderrPosition: written.error
            )
            try await requests.write(EngineV1.ExecRequest(body: .resume(resume)))
        } else {
            try await requests.write(EngineV1.ExecRequest(body: .start(start)))
        }
        // A failure to send shows as the end of the responses, which says why. Both end with this function.
        async let _ = try? send(requests)
        async let _ = try? followWindow()
        return try await receive(responses)
    }

    private func send(_ requests: RequestWriter<EngineV1.ExecRequest>) async throws {
        while true {
            switch try await outbox.next() {
            case .input(let bytes): try await requests.write(EngineV1.ExecRequest(body: .stdin(bytes)))
            case .endOfInput: try await requests.write(EngineV1.ExecRequest(body: .closeStdin(true)))
            case .acknowledge(let output, let error):
                let positions = EngineV1.ExecAcknowledge(stdoutPosition: output, stderrPosition: error)
                try await requests.write(EngineV1.ExecRequest(body: .acknowledge(positions)))
            case .finished: return requests.finish()
            }
        }
    }

    private func receive(_ responses: ResponseStream<EngineV1.ExecResponse>) async throws -> Int32 {
        while let response = try await responses.next() {
            switch response.body {
            case .started(let started): begun(started.execId)
            case .output(let output):
                let descriptor: Int32 = output.stream == 2 ? 2 : 1
                await Screen.copy(output.data, to: descriptor)
                outbox.wrote(output.data.count, to: descriptor)
            case .input(let state): outbox.accept(state.acceptedPosition)
            case .exit(let exit):
                if !exit.error.isEmpty { Screen.say("petrel: \(what): \(exit.error)") }
                // The last word: all output came before. That we go tells the engine that we have it.
                return Int32(truncatingIfNeeded: exit.exitCode)
            case nil: continue
            }
        }
        guard start.detached else {
            throw RPCError(.unavailable, "the engine ended the call without an exit code")
        }
        return 0
    }

    private func begun(_ id: String) {
        execID.withLock { $0 = id }
        hasBegun.set()
        if start.detached { outbox.finish() }
    }

    private func followWindow() async throws {
        guard start.terminal else { return }
        try await hasBegun.wait()
        guard let id = execID.withLock({ $0 }) else { return }
        await Window(engine: engine, container: start.container, execID: id).follow()
    }
}
