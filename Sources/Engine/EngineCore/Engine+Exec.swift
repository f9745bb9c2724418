// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import System

/// Running further processes in a container.
extension Engine {
    package enum ExecInput: Sendable {
        case bytes([UInt8])
        case end
    }

    package enum ExecNotice: Sendable {
        case started(String)
        case output(stream: UInt32, [UInt8])
        case exit(code: UInt32, error: String)
    }

    /// Starts a process and, unless detached, carries its input and output to its end.
    /// - Parameter input: The next piece; nil: there is no more. Ends by cancellation.
    /// - Parameter receive: Suspends for as long as the reader is busy; the process's pipes fill up meanwhile.
    /// - Throws: `.notRunning`, `.execFailed`, `.invalidField`. A caller that goes away leaves the process running, and
    ///   can come back with `resumeExec`.
    package func exec(
        in reference: String,
        _ settings: ExecSettings,
        input: @Sendable @escaping () async throws -> ExecInput?,
        receive: @Sendable @escaping (ExecNotice) async throws -> Void
    ) async throws {
        let row = try await usableRow(reference)
        guard let state = try await state(of: row.id), state.phase.isRunning else {
            throw EngineError.notRunning(row.id, name: row.name)
        }
        guard state.phase != .paused else { throw EngineError.paused(row.id, name: row.name) }
        let process = try settings.process(in: row.settings, row.resolved, host: host)
        let exec = ExecRow(
            id: .random(),
            container: row.id,
            settings: settings,
            createdAtUnixNanos: Clock.wallNanos
        )
        try await outlivingCancellation { [self] in
            try await database.write { db in
                try exec.insert(db)
                try EventTable.insert(db, EngineEvent(exec, of: row))
            }
            faults.reach("engine.exec.row-written")
            changes.announce()
        }
        let order = ExecOrder(
            container: row.id,
            exec: exec.id,
            process: process,
            opensStdin: settings.opensStdin,
            isDetached: settings.isDetached
        )
        let started: SupervisedExec
        do throws(PeerError) { started = try await supervisor.exec(order) } catch {
            guard let failure = error.programFailure else { throw error }
            throw EngineError.execFailed(exec.id, code: failure.code, reason: failure.reason)
        }
        faults.reach("engine.exec.started")
        if let exit = started.exit, !exit.failure.isEmpty {
            throw EngineError.execFailed(exec.id, code: exit.code, reason: exit.failure)
        }
        try await receive(.started(exec.id.text))
        if settings.isDetached { return }
        try await carry(exec, over: started.streamSocket, input: input, receive: receive)
    }

    /// Goes on with an exec whose caller, or engine, went away.
    package func resumeExec(
        _ id: String,
        of reference: String,
        input: @Sendable @escaping () async throws -> ExecInput?,
        receive: @Sendable @escaping (ExecNotice) async throws -> Void
    ) async throws {
        let row = try await row(reference)
        let found = try await database.read { db in try ExecRow.one(db, id: id, of: row.id) }
        guard let exec = found else { throw EngineError.execNotFound(id) }
        let state: SupervisedExec
        do throws(PeerError) { state = try await supervisor.getExec(exec.id, of: row.id) } catch {
            guard error.kind == .notFound else { throw error }
            throw EngineError.execNotFound(id)
        }
        try await receive(.started(exec.id.text))
        faults.reach("engine.exec.resumed")
        try await carry(exec, over: state.streamSocket, input: input, receive: receive)
    }

    private enum Part: Sendable {
        case exited(SupervisedExit), read, written
    }

    private func carry(
        _ exec: ExecRow,
        over socket: String,
        input: @Sendable @escaping () async throws -> ExecInput?,
        receive: @Sendable @escaping (ExecNotice) async throws -> Void
    ) async throws {
        let takesInput = exec.settings.opensStdin
        let request = supervisor.streamRequest(for: exec.id, attachesInput: takesInput)
        let stream = ExecStream(path: socket, request: request, poller: poller)
        let exit = try await withThrowingTaskGroup(of: Part.self) { group in
            defer { group.cancelAll() }
            group.addTask {
                let exit = try await self.exit(of: exec)
                stream.noteExit()
                return .exited(exit)
            }
            group.addTask {
                try await stream.read { piece in
                    try await receive(.output(stream: piece.stream, piece.bytes))
                }
                return .read
            }
            group.addTask {
                if takesInput { try await Engine.feed(stream, input) }
                return .written
            }
            var exit: SupervisedExit?
            var isRead = false
            while exit == nil || !isRead, let part = try await group.next() {
                switch part {
                case .exited(let status): exit = status
                case .read: isRead = true
                case .written: break
                }
            }
            return exit
        }
        guard let exit else { return }
        let error = exit.isKnown ? exit.failure : "the exit code is not known"
        try await receive(.exit(code: exit.code, error: error))
    }

    private static func feed(
        _ stream: ExecStream,
        _ input: @Sendable () async throws -> ExecInput?
    ) async throws {
        while let piece = try await input() {
            guard case .bytes(let bytes) = piece else { break }
            try await stream.write(bytes)
        }
        stream.finishWriting()
    }

    /// How the exec ends: rightly endless, and through restarts of the supervisor.
    private func exit(of exec: ExecRow) async throws -> SupervisedExit {
        while true {
            do throws(PeerError) {
                let state = try await supervisor.waitExec(exec.id, of: exec.container)
                if let exit = state.exit { return exit }
            } catch {
                if error.kind == .notFound {
                    return SupervisedExit(code: 255, isKnown: true, failure: "the container was removed")
                }
                guard error.kind == .unavailable else { throw error }
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}

extension EngineEvent {
    init(_ exec: ExecRow, of row: ContainerRow) {
        self.init(
            row,
            "exec_create: " + exec.settings.command.joined(separator: " "),
            at: exec.createdAtUnixNanos
        )
        attributes["execID"] = exec.id.text
    }
}
