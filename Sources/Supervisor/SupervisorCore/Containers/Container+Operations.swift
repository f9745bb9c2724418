// SPDX-License-Identifier: Apache-2.0
internal import Cgroups
internal import Logging
internal import Messages
internal import System

/// What clients ask of a container. Each call is harmless when repeated.
extension Container {
    /// Starts it, and returns once its program was executed.
    /// - Parameter key: A start with the same key is this one: it is not done again, whatever became of it.
    /// - Throws: `.startFailed` when it was not; `CancellationError` (the start goes on).
    package func start(key: String) async throws -> ContainerSnapshot {
        let isRepeated = !key.isEmpty && key == lifecycle.startKey
        try change { lifecycle throws(SupervisorError) in
            try lifecycle.requestStart(key: key, now: surroundings.now)
        }
        surroundings.faults.reach("supervisor.start.recorded")
        guard lifecycle.phase == .starting else {
            if isRepeated, !lifecycle.isActive, let failure = lifecycle.exit?.failure {
                throw SupervisorError.startFailed(id: id.text, failure)
            }
            return snapshot
        }
        let run = lifecycle.run
        _ = try await wait { $0.lifecycle.settledRun >= run || $0.lifecycle.isBeingDeleted || $0.isRemoved }
        if let failure = lifecycle.settledFailure, lifecycle.settledRun >= run {
            throw SupervisorError.startFailed(id: id.text, failure)
        }
        guard lifecycle.settledRun >= run else { throw SupervisorError.isBeingRemoved(id) }
        return snapshot
    }

    /// Stops it, and returns once it has exited.
    /// - Parameters:
    ///   - signal: 0: the container's own.
    ///   - timeoutMillis: How long before SIGKILL; nil: the container's own.
    /// - Throws: `.stopTimedOut` when it is there still, some time after SIGKILL.
    package func stop(signal: Int32, timeoutMillis: UInt32?) async throws -> ContainerSnapshot {
        let signal = signal == 0 ? request.stopSignal : signal
        let timeout = Int64(timeoutMillis ?? request.stopTimeoutMillis) * 1_000_000
        let due = Clock.bootNanos + timeout
        try change { lifecycle throws(SupervisorError) in
            try lifecycle.requestStop(signal: signal, killDueBootNanos: due, now: surroundings.now)
        }
        surroundings.faults.reach("supervisor.stop.recorded")
        guard
            try await wait(untilBootNanos: due + Self.graceNanos, { !$0.lifecycle.isActive || $0.isRemoved })
        else {
            throw SupervisorError.stopTimedOut(id)
        }
        surroundings.faults.reach("supervisor.stop.exited")
        return snapshot
    }

    /// Sends a signal to its init, or to all its processes.
    package func kill(signal: Int32, all: Bool) async throws -> ContainerSnapshot {
        let isStop = signal == 9 || signal == request.stopSignal
        try change { lifecycle throws(SupervisorError) in
            try lifecycle.requestKill(signal: signal, isStop: isStop, now: surroundings.now)
        }
        surroundings.faults.reach("supervisor.kill.recorded")
        try await send(signal: signal, all: all)
        return snapshot
    }

    /// Waits for it. Rightly endless; ends by cancellation.
    package func waitForExit(_ condition: WaitCondition) async throws -> ExitStatus {
        let since = lifecycle.exitCount
        switch condition {
        case .notRunning:
            _ = try await wait {
                $0.isRemoved || !($0.lifecycle.isActive || $0.lifecycle.phase == .restarting)
            }
        case .nextExit: _ = try await wait { $0.isRemoved || $0.lifecycle.exitCount != since }
        case .removed: _ = try await wait { $0.isRemoved }
        }
        return lifecycle.exit ?? ExitStatus(code: 0, atUnixNanos: 0)
    }

    /// Deletes it with all that belongs to it; kills it before when `isForced`.
    /// - Returns: How it ended, if it ever ran.
    package func delete(isForced: Bool) async throws -> ExitStatus? {
        guard !isRemoved else { throw SupervisorError.containerNotFound(id.text) }
        try change { lifecycle throws(SupervisorError) in
            try lifecycle.requestDelete(isForced: isForced, now: surroundings.now)
        }
        surroundings.faults.reach("supervisor.delete.recorded")
        startRemoval()
        _ = try await wait { $0.removal == .idle }
        guard isRemoved else { throw removalFailure ?? SupervisorError.stopTimedOut(id) }
        return lifecycle.exit
    }

    package func resizeTerminal(exec: String, columns: UInt32, rows: UInt32) async throws {
        let packet = try await ask(
            .resizeTerminal(KeeperV1.ResizeTerminal(execId: exec, columns: columns, rows: rows))
        )
        if let failure = packet.failure {
            throw SupervisorError.resizeFailed(id: id.text, errno: failure.errno)
        }
    }

    package enum WaitCondition: Sendable { case notRunning, nextExit, removed }

    /// How long after SIGKILL a container may take to be gone.
    static let graceNanos: Int64 = 20_000_000_000

    // MARK: - Effects

    func restartDue(run: UInt64) {
        do {
            try change { lifecycle throws(SupervisorError) in
                lifecycle.restartDue(run: run, now: surroundings.now)
            }
            surroundings.faults.reach("supervisor.restart.recorded")
        } catch {
            // The disk is full, most likely: later again.
            surroundings.logger.error("restart", metadata: ["id": "\(id)", "error": "\(error)"])
            perform([.restart(afterNanos: BackOff.longestNanos, run: run)])
        }
    }

    /// SIGKILL, when the time of a stop is over and the same run goes on.
    func kill(run: UInt64, atBootNanos due: Int64) async {
        let left = due - Clock.bootNanos
        if left > 0 {
            do { try await Task.sleep(for: .nanoseconds(left)) } catch { return }
        }
        guard lifecycle.isActive, lifecycle.run == run, lifecycle.killDueBootNanos != 0 else { return }
        await signalQuietly(9)
    }

    func signalQuietly(_ signal: Int32) async {
        do {
            try await send(signal: signal, all: false)
        } catch {
            surroundings.logger.warning("signal", metadata: ["id": "\(id)", "error": "\(error)"])
        }
    }

    /// The pidfd of the second copies serves even while there is no keeper.
    private func send(signal: Int32, all: Bool) async throws {
        if !all, let process = custody.process(ofRun: lifecycle.run) {
            do throws(SystemError) {
                return try ProcessHandle.signal(process.raw, Signal(rawValue: signal))
            } catch {
                throw SupervisorError.signalFailed(id: id.text, errno: error.code)
            }
        }
        let answer = try await ask(.signal(KeeperV1.Signal(signal: signal, all: all)))
        if let failure = answer.failure {
            throw SupervisorError.signalFailed(id: id.text, errno: failure.errno)
        }
    }
}
