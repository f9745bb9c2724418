// SPDX-License-Identifier: Apache-2.0
internal import Cgroups
internal import Events
internal import Logging
internal import System

/// Standing still: the wish is recorded, the kernel's freezer does it, then it is told.
extension Container {
    private static let freezeNanos: Int64 = 10_000_000_000

    /// Returns once every process stands still.
    /// - Throws: `.notRunning`; `.pauseFailed`, after which it goes on as before.
    package func pause() async throws -> ContainerSnapshot {
        pauseFailure = nil
        try change { lifecycle throws(SupervisorError) in try lifecycle.requestPause() }
        surroundings.faults.reach("supervisor.pause.recorded")
        let run = lifecycle.run
        _ = try await wait {
            $0.lifecycle.isPauseTold || !$0.lifecycle.isPauseWanted || $0.lifecycle.run != run
                || $0.pauseFailure != nil || $0.isRemoved
        }
        if let pauseFailure { throw pauseFailure }
        guard lifecycle.isPauseTold, lifecycle.run == run else { throw SupervisorError.notRunning(id) }
        return snapshot
    }

    package func unpause() async throws -> ContainerSnapshot {
        try change { lifecycle throws(SupervisorError) in
            try lifecycle.requestUnpause(now: surroundings.now)
        }
        surroundings.faults.reach("supervisor.unpause.recorded")
        thaw()
        surroundings.faults.reach("supervisor.unpause.thawed")
        return snapshot
    }

    // MARK: - Effects

    func freeze(run: UInt64) async {
        do {
            try await standStill(run: run)
            surroundings.faults.reach("supervisor.pause.frozen")
        } catch {
            surroundings.logger.warning("pause", metadata: ["id": "\(id)", "error": "\(error)"])
            pauseFailure = .pauseFailed(id, errno: (error as? SystemError)?.code ?? 0)
            // Also when that cannot be written: nothing must stay half frozen.
            try? change { lifecycle throws(SupervisorError) in lifecycle.giveUpPause(run: run) }
            try? cgroup().thaw()
            return changes.announce()
        }
        // A full disk delays only the telling.
        while lifecycle.isPauseWanted, !lifecycle.isPauseTold, lifecycle.run == run {
            do {
                try change { lifecycle throws(SupervisorError) in
                    lifecycle.noteFrozen(run: run, now: surroundings.now)
                }
                surroundings.faults.reach("supervisor.pause.told")
                return
            } catch {
                surroundings.logger.error("pause", metadata: ["id": "\(id)", "error": "\(error)"])
            }
            do { try await Task.sleep(for: .seconds(1)) } catch { return }
        }
    }

    /// - Throws: `ETIMEDOUT` when some process does not come to a stand; `ENODEV` without a freezer.
    private func standStill(run: UInt64) async throws {
        let group = try cgroup()
        let deadline = Clock.bootNanos + Self.freezeNanos
        var pause: Int64 = 1_000_000
        while lifecycle.isPauseWanted, lifecycle.run == run, lifecycle.phase == .running {
            if try group.standsStill() { return }
            guard Clock.bootNanos < deadline else {
                throw SystemError("freeze", path: group.path, code: ErrorNumber.timedOut)
            }
            try await Task.sleep(for: .nanoseconds(pause))
            pause = min(pause * 2, 50_000_000)
        }
    }

    func thaw() {
        guard !lifecycle.isPauseWanted else { return }
        do {
            try cgroup().thaw()
        } catch {
            surroundings.logger.warning("thaw", metadata: ["id": "\(id)", "error": "\(error)"])
        }
    }

    func cgroup() throws(SystemError) -> Cgroup {
        try Cgroup(surroundings.cgroupPath(of: request), in: surroundings.cgroups)
    }
}
