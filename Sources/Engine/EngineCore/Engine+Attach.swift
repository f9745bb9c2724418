// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import System

/// The input of a container's own process, and its terminal. Its output is in the spool.
extension Engine {
    package enum AttachNotice: Sendable {
        case started(run: UInt64)
        /// So many bytes of input are safe; what is beyond goes out again after a lost connection.
        case input(accepted: UInt64)
    }

    /// Carries input to a container's present run until that has ended. Rightly endless.
    /// - Parameter run: The run that is meant, to come back to it; 0: the present one.
    /// - Throws: `.notRunning`, also when another run is present; `.invalidField` when it takes no input. A caller that
    ///   goes away ends the input of a container that was made for one (`stdinOnce`), and of no other.
    package func attach(
        to reference: String,
        run: UInt64,
        input: @Sendable @escaping () async throws -> StreamInput?,
        receive: @Sendable @escaping (AttachNotice) async throws -> Void
    ) async throws {
        let row = try await usableRow(reference)
        guard let state = try await state(of: row.id), state.phase.isRunning, run == 0 || run == state.run
        else {
            throw EngineError.notRunning(row.id, name: row.name)
        }
        guard row.settings.opensStdin else {
            let text = "the standard input of container \(row.name) is not open"
            throw EngineError.invalidField("container", text, advice: "create it with --interactive")
        }
        let order = StreamOrder(run: state.run, attachesInput: true, attachesOutput: false)
        let stream = KeeperStream(path: state.streamSocket, order: order, poller: poller) {
            [supervisor] order in
            supervisor.streamRequest(order)
        }
        try await receive(.started(run: state.run))
        faults.reach("engine.attach.started")
        try await endingInput(of: stream, if: row.settings.stdinOnce) {
            try await firstOf([
                { try await self.waitForEnd(of: row.id, run: state.run) },
                {
                    try await stream.run { notice in
                        if case .input(let accepted) = notice {
                            try await receive(.input(accepted: accepted))
                        }
                    }
                },
                {
                    try await Engine.feed(stream, input)
                    // The client may still want to know what was accepted.
                    try await self.waitForEnd(of: row.id, run: state.run)
                },
            ])
        }
    }

    /// Rightly endless.
    private func waitForEnd(of id: ContainerID, run: UInt64) async throws {
        while true {
            let seen = changes.version
            guard let state = try await state(of: id), state.run == run, state.phase.isRunning else { return }
            await withinLimit(.seconds(1)) { [changes] in try await changes.wait(beyond: seen) }
            try Task.checkCancellation()
        }
    }

    /// Sets the size of a container's terminal, or of an exec's.
    /// - Parameter exec: Empty: the container's own.
    /// - Throws: `.containerNotFound`, `.execNotFound`, `.notRunning`.
    package func resizeTerminal(of reference: String, exec: String, to size: ConsoleSize) async throws {
        let row = try await usableRow(reference)
        var id: ContainerID?
        if !exec.isEmpty {
            guard let known = ContainerID(exec) else { throw EngineError.execNotFound(exec) }
            id = known
        }
        guard let state = try await state(of: row.id), state.phase.isRunning else {
            throw EngineError.notRunning(row.id, name: row.name)
        }
        try await supervisor.resizeTerminal(of: row.id, exec: id, to: size)
    }
}
