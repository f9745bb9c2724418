// SPDX-License-Identifier: Apache-2.0

/// What is changed about a container while it is there: standing still, limits and policy, health.
extension Lifecycle {
    /// What an update may replace.
    package struct UpdatableParts: Hashable, Sendable {
        package var resources: [UInt8]
        package var policy: RestartPolicy

        package init(resources: [UInt8], policy: RestartPolicy) {
            self.resources = resources
            self.policy = policy
        }
    }

    // MARK: - Standing still

    /// Lets it stand still. Harmless when it does.
    package mutating func requestPause() throws(SupervisorError) -> [Effect] {
        guard !isBeingDeleted else { throw .isBeingRemoved(id) }
        guard phase == .running, killDueBootNanos == 0 else { throw .notRunning(id) }
        if isPauseTold { return [] }
        isPauseWanted = true
        return [.freeze(run: run)]
    }

    /// Every process of this run stands still.
    package mutating func noteFrozen(run: UInt64, now: Moment) -> [Effect] {
        guard phase == .running, self.run == run, isPauseWanted, !isPauseTold else { return [] }
        isPauseTold = true
        tell(.pause, now)
        return []
    }

    /// It could not be done: as if nobody had asked.
    package mutating func giveUpPause(run: UInt64) -> [Effect] {
        guard self.run == run, isPauseWanted, !isPauseTold else { return [] }
        isPauseWanted = false
        return [.thaw]
    }

    /// Lets it go on. Harmless when it does.
    package mutating func requestUnpause(now: Moment) throws(SupervisorError) -> [Effect] {
        guard !isBeingDeleted else { throw .isBeingRemoved(id) }
        guard phase == .running else { throw .notRunning(id) }
        return endPause(now)
    }

    mutating func endPause(_ now: Moment) -> [Effect] {
        guard isPauseWanted else { return [] }
        let wasTold = isPauseTold
        (isPauseWanted, isPauseTold) = (false, false)
        if wasTold { tell(.unpause, now) }
        return [.thaw]
    }

    // MARK: - Limits and policy

    /// Records what shall hold from now on; `finishUpdate` or `undoUpdate` follows.
    package mutating func beginUpdate(to parts: UpdatableParts) throws(SupervisorError) -> [Effect] {
        guard !isBeingDeleted else { throw .isBeingRemoved(id) }
        guard !isAutoRemoved || parts.policy.mode == .no else {
            throw .invalidField(name: "restart_policy", reason: "not for one that is removed at its end")
        }
        beforeUpdate = UpdatableParts(resources: resources, policy: policy)
        (resources, policy) = (parts.resources, parts.policy)
        return []
    }

    package mutating func finishUpdate(now: Moment) -> [Effect] {
        guard beforeUpdate != nil else { return [] }
        beforeUpdate = nil
        tell(.update, now)
        return []
    }

    /// The kernel refused: as it was.
    package mutating func undoUpdate() -> [Effect] {
        guard let before = beforeUpdate else { return [] }
        (resources, policy) = (before.resources, before.policy)
        beforeUpdate = nil
        return []
    }

    // MARK: - Health

    /// A probe of this run has ended.
    package mutating func noteProbe(
        _ result: Health.Result,
        run: UInt64,
        startedBootNanos: Int64,
        now: Moment
    ) -> [Effect] {
        guard let healthCheck, phase == .running, self.run == run else { return [] }
        let before = health.status
        health.note(
            result,
            startedBootNanos: startedBootNanos,
            nowBootNanos: now.bootNanos,
            healthCheck
        )
        if health.status != before { tell(.healthStatus, now, health: health.status) }
        return []
    }
}
