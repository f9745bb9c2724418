// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import System

/// Running further processes in a container.
extension Engine {
    /// What a client says while a process runs.
    package enum StreamInput: Sendable {
        case bytes([UInt8])
        case end
        /// It has all output up to there.
        case acknowledged(StreamPositions)
    }

    package enum ExecNotice: Sendable {
        case started(String)
        case output(stream: UInt32, [UInt8])
        /// So many bytes of input are safe; what is beyond goes out again after a lost connection.
        case input(accepted: UInt64)
        case exit(code: UInt32, error: String)
    }

    private static let probePrefix = String(repeating: "0", count: 32)

    /// Starts a process and, unless detached, carries its input and output to its end.
    /// - Parameter id: Of the caller's choice, or empty. Repeated with the same one, nothing starts a second time.
    /// - Parameter input: The next piece; nil: there is no more. Ends by cancellation.
    /// - Parameter receive: Suspends for as long as the reader is busy; the process waits once 512 KiB are not acknowledged.
    /// - Throws: `.notRunning`, `.execFailed`, `.invalidField`. A caller that goes away leaves the process running with its
    ///   input ended; one whose engine goes away can come back with `resumeExec`.
    package func exec(
        in reference: String,
        as id: String = "",
        _ settings: ExecSettings,
        input: @Sendable @escaping () async throws -> StreamInput?,
        receive: @Sendable @escaping (ExecNotice) async throws -> Void
    ) async throws {
        // The supervisor's own, which look after health, begin with 32 zeros.
        guard let chosen = id.isEmpty ? .random() : ContainerID(id), !chosen.text.hasPrefix(Self.probePrefix)
        else {
            let text = "must be 64 lower-case hexadecimal digits, not beginning with 32 zeros"
            throw EngineError.invalidField("exec_id", text)
        }
        let row = try await usableRow(reference)
        let isKnown = try await database.read { db in
            try ExecRow.one(db, id: chosen.text, of: row.id) != nil
        }
        // Whether its container runs matters to a new one only: what was begun before may have ended that. The supervisor
        // looks while the rest is made ready.
        async let state = isKnown ? nil : state(of: row.id)
        let process = Result { try settings.process(in: row.settings, row.resolved, host: host) }
        let exec = ExecRow(
            id: chosen,
            container: row.id,
            settings: settings,
            createdAtUnixNanos: Clock.wallNanos
        )
        if !isKnown { try check(await state, of: row) }
        // Only now: what is not there has no mistakes to be told of.
        let order = ExecOrder(
            container: row.id,
            exec: exec.id,
            process: try process.get(),
            opensStdin: settings.opensStdin,
            isDetached: settings.isDetached
        )
        try await record(exec, of: row)
        let started = try await start(order)
        try await receive(.started(exec.id.text))
        if settings.isDetached { return }
        let start = StreamPositions()
        try await carry(exec, over: started.streamSocket, from: start, input: input, receive: receive)
    }

    private func start(_ order: ExecOrder) async throws -> SupervisedExec {
        let started: SupervisedExec
        do throws(PeerError) { started = try await supervisor.exec(order) } catch {
            guard let failure = error.programFailure else { throw error }
            throw Engine.execFailure(order, code: failure.code, reason: failure.reason)
        }
        faults.reach("engine.exec.started")
        if let exit = started.exit, !exit.failure.isEmpty {
            throw Engine.execFailure(order, code: exit.code, reason: exit.failure)
        }
        return started
    }

    /// 125 is for a container that could not be made; what keeps an exec from its program, which is there, means 126, as with
    /// Docker.
    private static func execFailure(_ order: ExecOrder, code: UInt32, reason: String) -> EngineError {
        .execFailed(order.exec, code: max(code, 126), reason: reason)
    }

    /// Whether an exec can begin.
    private func check(_ state: SupervisedContainer?, of row: ContainerRow) throws {
        guard let state, state.phase.isRunning else {
            throw EngineError.notRunning(row.id, name: row.name)
        }
        guard state.phase != .paused else { throw EngineError.paused(row.id, name: row.name) }
    }

    private func record(_ exec: ExecRow, of row: ContainerRow) async throws {
        try await outlivingCancellation { [self] in
            try await database.write { db in
                if try exec.insertOnce(db) { try EventTable.insert(db, EngineEvent(exec, of: row)) }
            }
            faults.reach("engine.exec.row-written")
            changes.announce()
        }
    }

    /// Goes on with an exec whose engine went away.
    /// - Parameter positions: What the caller has of the output.
    package func resumeExec(
        _ id: String,
        of reference: String,
        from positions: StreamPositions,
        input: @Sendable @escaping () async throws -> StreamInput?,
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
        try await carry(exec, over: state.streamSocket, from: positions, input: input, receive: receive)
    }

    private enum Part: Sendable {
        case exited(SupervisedExit), read, other
    }

    private func carry(
        _ exec: ExecRow,
        over socket: String,
        from positions: StreamPositions,
        input: @Sendable @escaping () async throws -> StreamInput?,
        receive: @Sendable @escaping (ExecNotice) async throws -> Void
    ) async throws {
        let stream = KeeperStream(
            path: socket,
            order: StreamOrder(
                exec: exec.id,
                attachesInput: exec.settings.opensStdin,
                attachesOutput: true,
                positions: positions
            ),
            poller: poller
        ) { [supervisor] order in supervisor.streamRequest(order) }
        try await endingInput(of: stream, if: exec.settings.opensStdin) {
            try await withThrowingTaskGroup(of: Part.self) { group in
                defer { group.cancelAll() }
                group.addTask {
                    let exit = try await self.exit(of: exec)
                    stream.noteExit()
                    return .exited(exit)
                }
                group.addTask {
                    try await stream.run { notice in try await receive(ExecNotice(notice)) }
                    return .other
                }
                group.addTask {
                    try await stream.waitForOutputEnd()
                    return .read
                }
                group.addTask {
                    try await Engine.feed(stream, input)
                    return .other
                }
                let exit = try await Engine.end(of: &group)
                let error = exit.isKnown ? exit.failure : "the exit code is not known"
                try await receive(.exit(code: exit.code, error: error))
                try await self.waitUntilReceived(stream)
            }
        }
    }

    /// So that the keeper can let go at once. A client that was told the end, and goes without a further word, has all it
    /// wanted, and ends nothing before its time.
    private func waitUntilReceived(_ stream: KeeperStream) async throws {
        await withinLimit(.seconds(5)) { try await stream.waitUntilAcknowledged() }
        guard Task.isCancelled, !isStopping else { return }
        try await outlivingCancellation { await stream.abandonOutput() }
    }

    private static func end(of group: inout ThrowingTaskGroup<Part, any Error>) async throws -> SupervisedExit
    {
        var exit: SupervisedExit?
        var isRead = false
        while let part = try await group.next() {
            switch part {
            case .exited(let status): exit = status
            case .read: isRead = true
            case .other: break
            }
            if let exit, isRead { return exit }
        }
        throw CancellationError()
    }

    /// Tells the stream what the client says, to its last word.
    static func feed(
        _ stream: KeeperStream,
        _ input: @Sendable () async throws -> StreamInput?
    ) async throws {
        while let piece = try await input() {
            switch piece {
            case .bytes(let bytes): try stream.append(bytes)
            case .end: stream.endInput()
            case .acknowledged(let positions): stream.acknowledge(positions)
            }
        }
        stream.endInput()
        stream.noteClientDone()
    }

    /// Runs `body`; where it fails, as when its client has gone, the process's input ends with that. It does not when the engine
    /// is what goes: the client will be back.
    func endingInput(of stream: KeeperStream, if hasInput: Bool, _ body: () async throws -> Void) async throws
    {
        do {
            try await body()
        } catch {
            if hasInput, !isStopping {
                try? await outlivingCancellation { await stream.abandonInput() }
            }
            throw error
        }
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

extension Engine.ExecNotice {
    init(_ notice: KeeperStream.Notice) {
        switch notice {
        case .output(let stream, let bytes): self = .output(stream: stream, bytes)
        case .input(let accepted): self = .input(accepted: accepted)
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
