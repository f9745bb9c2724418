// SPDX-License-Identifier: Apache-2.0

/// What a container is doing, as a pure value: each transition returns what is to be done next.
///
/// ```
/// created ── start ──> starting ── started ──> running ── exited ──> exited
///    ^                    │  ^                     │                  │ start
///    └── start failed ────┘  └──── restart due ── restarting <── policy
/// ```
/// The owner of the value writes each changed value to disk before it does what the transition returned, then gives the
/// `pending` events to the journal. So a transition that is on disk happened, once, whatever is killed.
package struct Lifecycle: Hashable, Sendable {
    package enum Phase: UInt32, Hashable, Sendable {
        case created = 1
        case starting = 2
        case running = 3
        case restarting = 4
        case exited = 5
    }

    package enum Effect: Hashable, Sendable {
        /// Tell the keeper to start this run.
        case start(run: UInt64)
        /// Send a signal to init.
        case signal(Int32)
        /// Send SIGKILL at this boot time unless it has exited by then.
        case kill(atBootNanos: Int64)
        /// Call `restartDue` after so long.
        case restart(afterNanos: Int64, run: UInt64)
        /// Let every process stand still, and call `noteFrozen` once they do.
        case freeze(run: UInt64)
        /// Let them go on. Harmless when they do.
        case thaw
    }

    /// A start whose gate was closed so often by keepers' deaths is given up.
    package static let startRepeatLimit: UInt32 = 20

    package let id: ContainerID
    package let owner: String
    package let isAutoRemoved: Bool
    package let createdAtUnixNanos: Int64
    /// nil: it is not asked whether it is well.
    package let healthCheck: HealthCheck?

    package internal(set) var policy: RestartPolicy
    package internal(set) var phase = Phase.created
    /// Numbers the runs from 1, also those that were never executed.
    package internal(set) var run: UInt64 = 0
    /// 0 unless it runs.
    package internal(set) var pid: Int32 = 0
    package internal(set) var startedAtUnixNanos: Int64 = 0
    /// Of the last run that ended.
    package internal(set) var exit: ExitStatus?
    package internal(set) var restartCount: UInt32 = 0
    package internal(set) var backOffNanos: Int64 = 0
    package internal(set) var isManuallyStopped = false
    package internal(set) var isRemovalWanted = false
    package internal(set) var isBeingDeleted = false
    package internal(set) var keeperSequence: UInt64 = 0
    package internal(set) var eventNumber: UInt64 = 0
    package internal(set) var pending: [Event] = []
    /// When SIGKILL follows the signal of a stop; 0: no stop is on its way.
    package internal(set) var killDueBootNanos: Int64 = 0
    package internal(set) var stopSignal: Int32 = 0
    package internal(set) var startIsRestart = false
    /// How often the start on its way was repeated: a keeper's death had closed its gate.
    package internal(set) var startRepeats: UInt32 = 0
    package internal(set) var hasRun = false
    /// Of the last start by hand.
    package internal(set) var startKey = ""
    package internal(set) var health = Health()
    /// Its processes are to stand still; of the present run.
    package internal(set) var isPauseWanted = false
    /// They do, and it was told.
    package internal(set) var isPauseTold = false
    /// An object `linux.resources` over the request's, from updates; empty: none.
    package internal(set) var resources: [UInt8] = []
    /// What an update that is not carried out yet replaces.
    package internal(set) var beforeUpdate: UpdatableParts?
    /// The last run of which it is known whether it was executed. Not on disk: for those who wait for a
    /// start.
    package internal(set) var settledRun: UInt64 = 0
    /// Why the last settled run was not executed; nil when it was. Not on disk.
    package internal(set) var settledFailure: StartFailure?
    /// How often it exited, for those who wait for the next time. Not on disk.
    package internal(set) var exitCount = 0

    /// A container that was created just now.
    package init(
        id: ContainerID,
        owner: String,
        policy: RestartPolicy,
        isAutoRemoved: Bool,
        healthCheck: HealthCheck? = nil,
        now: Moment
    ) {
        self.init(
            id: id,
            owner: owner,
            policy: policy,
            isAutoRemoved: isAutoRemoved,
            healthCheck: healthCheck,
            createdAt: now.wallUnixNanos
        )
        tell(.create, now)
    }

    init(
        id: ContainerID,
        owner: String,
        policy: RestartPolicy,
        isAutoRemoved: Bool,
        healthCheck: HealthCheck?,
        createdAt: Int64
    ) {
        self.healthCheck = healthCheck
        self.id = id
        self.owner = owner
        self.policy = policy
        self.isAutoRemoved = isAutoRemoved
        self.createdAtUnixNanos = createdAt
    }

    /// Whether a process of it exists, or is on the way.
    package var isActive: Bool { phase == .starting || phase == .running }

    // MARK: - What clients ask

    /// Starts it by hand. Harmless when it runs already, or when a start with this key has been.
    package mutating func requestStart(key: String = "", now: Moment) throws(SupervisorError) -> [Effect] {
        guard !isBeingDeleted else { throw .isBeingRemoved(id) }
        if !key.isEmpty {
            guard key != startKey else { return [] }
            startKey = key
        }
        guard !isActive else { return [] }
        isManuallyStopped = false
        isRemovalWanted = false
        restartCount = 0
        backOffNanos = 0
        return begin(isRestart: false)
    }

    /// Stops it by hand. From here on the restart policy keeps still, whatever the order of events.
    package mutating func requestStop(
        signal: Int32,
        killDueBootNanos: Int64,
        now: Moment
    ) throws(SupervisorError) -> [Effect] {
        guard !isBeingDeleted else { throw .isBeingRemoved(id) }
        isManuallyStopped = true
        switch phase {
        case .created, .exited: return []
        case .restarting:
            phase = .exited
            tell(.stop, now)
            wantRemoval(now)
            return []
        case .starting:
            // One that hangs on the way to its program does not come to that signal.
            self.killDueBootNanos = killDueBootNanos
            stopSignal = signal
            return [.kill(atBootNanos: killDueBootNanos)]
        case .running:
            self.killDueBootNanos = killDueBootNanos
            stopSignal = signal
            tell(.kill, now, signal: signal)
            // What stands still would not hear it.
            return [.signal(signal)] + endPause(now) + [.kill(atBootNanos: killDueBootNanos)]
        }
    }

    /// Sends a signal. SIGKILL and the stop signal count as stopping by hand, and end a pause; others are heard when it
    /// is over.
    package mutating func requestKill(
        signal: Int32,
        isStop: Bool,
        now: Moment
    ) throws(SupervisorError) -> [Effect] {
        guard phase == .running else { throw .notRunning(id) }
        tell(.kill, now, signal: signal)
        guard isStop else { return [] }
        isManuallyStopped = true
        return endPause(now)
    }

    /// Marks it for deletion; what runs is killed first, with `isForced`.
    package mutating func requestDelete(isForced: Bool, now: Moment) throws(SupervisorError) -> [Effect] {
        if isBeingDeleted { return isActive ? [.signal(9), .thaw] : [] }
        guard isForced || !(isActive || phase == .restarting) else { throw .isRunning(id) }
        isBeingDeleted = true
        isManuallyStopped = true
        if phase == .restarting { phase = .exited }
        if phase == .running { tell(.kill, now, signal: 9) }
        (isPauseWanted, isPauseTold) = (false, false)
        return isActive ? [.signal(9), .thaw] : []
    }

    /// Nobody can tell any more what becomes of its run: there is no keeper and cannot be one, and its processes were
    /// killed.
    package mutating func abandonRun(now: Moment) -> [Effect] {
        guard isActive else { return [] }
        if phase == .starting {
            return startFailed(run: run, StartFailure(step: "keeper", path: "", errno: 0), now)
        }
        return exited(
            run: run,
            ExitStatus(waitStatus: nil, isOutOfMemory: false, atUnixNanos: now.wallUnixNanos),
            now
        )
    }

    /// Whether the event that ends its story is among those that the journal may not have yet.
    package var isDeleteTold: Bool { pending.last?.action == .delete }

    /// The container is gone.
    package mutating func finishDelete(now: Moment) { tell(.delete, now, exit: exit) }

    // MARK: - What time brings

    /// The wait before a restart is over.
    package mutating func restartDue(run: UInt64, now: Moment) -> [Effect] {
        guard phase == .restarting, self.run == run, !isBeingDeleted else { return [] }
        restartCount += 1
        tell(.restart, now)
        return begin(isRestart: true)
    }

    /// What has to be taken up again with a keeper that was connected just now, after its events were merged.
    /// - Parameters:
    ///   - keeperRun: The last run that the keeper knows.
    ///   - isNewBoot: The value was written before the machine was started again.
    package mutating func resume(keeperRun: UInt64, isNewBoot: Bool, now: Moment) -> [Effect] {
        if isBeingDeleted { return isActive ? [.signal(9), .thaw] : [] }
        if isNewBoot {
            // Of a boot time that is over.
            killDueBootNanos = min(killDueBootNanos, now.bootNanos)
            endWithBoot(now)
        }
        switch phase {
        case .starting:
            // The keeper has recorded it, and says itself what becomes of it.
            guard keeperRun < run else {
                return killDueBootNanos == 0 ? [] : [.kill(atBootNanos: killDueBootNanos)]
            }
            // It never heard of it, or died before it had recorded it.
            guard !isManuallyStopped else {
                return startFailed(run: run, StartFailure(step: "stopped", path: "", errno: 0), now)
            }
            return [.start(run: run)]
        case .running:
            // Its record was damaged: nothing will ever tell how it ends.
            guard keeperRun >= run else { return [.signal(9), .thaw] + abandonRun(now: now) }
            // What was recorded may not have been carried out.
            if isPauseWanted { return [.freeze(run: run)] }
            if killDueBootNanos == 0 { return [.thaw] }
            return [.signal(stopSignal), .thaw, .kill(atBootNanos: killDueBootNanos)]
        case .restarting:
            return [.restart(afterNanos: backOffNanos, run: run)]
        case .exited where isNewBoot && hasRun && policy.mode == .always:
            // As Docker: "always" forgets at a start of the machine that it was stopped by hand.
            isManuallyStopped = false
            backOffNanos = BackOff.firstNanos
            phase = .restarting
            return [.restart(afterNanos: backOffNanos, run: run)]
        case .created, .exited:
            return []
        }
    }

    /// What the machine's end was the end of: a run that began and that no policy repeats, and all that removes itself.
    private mutating func endWithBoot(_ now: Moment) {
        if phase == .starting, policy.mode == .no {
            let unknown = ExitStatus(waitStatus: nil, isOutOfMemory: false, atUnixNanos: now.wallUnixNanos)
            _ = exited(run: run, unknown, now)
        }
        if phase == .created || phase == .exited { wantRemoval(now) }
    }

    // MARK: - What the keeper tells

    /// Merges the keeper's next event; one that was merged before changes nothing.
    package mutating func merge(_ news: KeeperNews) -> [Effect] {
        guard news.sequence > keeperSequence else { return [] }
        keeperSequence = news.sequence
        let now = news.moment
        switch news.kind {
        case .started(let run, let pid, let atUnixNanos):
            return started(run: run, pid: pid, atUnixNanos: atUnixNanos, now)
        case .startFailed(let run, let failure):
            return startFailed(run: run, failure, now)
        case .exited(let run, let status):
            return exited(run: run, status, now)
        case .execStarted(let exec): tell(.execStart, now, exec: exec)
        case .execExited(let exec, let status): tell(.execDie, now, exit: status, exec: exec)
        case .outOfMemory: tell(.outOfMemory, now)
        case .outputBlocked: tell(.outputBlocked, now)
        case .outputResumed: tell(.outputResumed, now)
        case .adopted: tell(.adopted, now)
        case .execFailed, .unknown: break
        }
        return []
    }

    /// The keeper refused to start a run and recorded nothing.
    package mutating func startRefused(run: UInt64, _ failure: StartFailure, now: Moment) -> [Effect] {
        guard phase == .starting, self.run == run else { return [] }
        return startFailed(run: run, failure, now)
    }

    /// The journal has these events.
    package mutating func forget(upTo number: UInt64) { pending.removeAll { $0.number <= number } }

    private mutating func begin(isRestart: Bool) -> [Effect] {
        run += 1
        phase = .starting
        startIsRestart = isRestart
        startRepeats = 0
        killDueBootNanos = 0
        return [.start(run: run)]
    }

    private mutating func started(run: UInt64, pid: Int32, atUnixNanos: Int64, _ now: Moment) -> [Effect] {
        // Told again, by a keeper that no longer had its predecessor's events.
        guard phase != .running || self.run != run else { return [] }
        self.run = max(self.run, run)
        phase = .running
        self.pid = pid
        startedAtUnixNanos = atUnixNanos
        hasRun = true
        (isPauseWanted, isPauseTold) = (false, false)
        settle(nil)
        health.begin(atBootNanos: now.bootNanos)
        tell(.start, now)
        if isBeingDeleted { return [.signal(9)] }
        // A stop came while it was starting.
        guard killDueBootNanos != 0 else { return [] }
        tell(.kill, now, signal: stopSignal)
        return [.signal(stopSignal), .kill(atBootNanos: killDueBootNanos)]
    }

    private mutating func startFailed(run: UInt64, _ failure: StartFailure, _ now: Moment) -> [Effect] {
        self.run = max(self.run, run)
        let isWanted = phase == .starting && !isManuallyStopped && !isBeingDeleted
        if failure.isGate, startRepeats < Self.startRepeatLimit, isWanted {
            self.run += 1
            startRepeats += 1
            return [.start(run: self.run)]
        }
        settle(failure)
        let status = ExitStatus(failure: failure, atUnixNanos: now.wallUnixNanos)
        exit = status
        exitCount += 1
        pid = 0
        killDueBootNanos = 0
        tell(.die, now, exit: status)
        // A restart that a dead keeper, a full disk or another container kept from its program is not the program's
        // failure: the policy goes on with it.
        if startIsRestart, isWanted, failure.isGate || failure.isFullDisk || failure.isJoin,
            policy.restarts(after: status, restartCount: restartCount)
        {
            phase = .restarting
            backOffNanos = BackOff.next(after: backOffNanos, ranNanos: 0)
            return [.restart(afterNanos: backOffNanos, run: self.run)]
        }
        phase = hasRun ? .exited : .created
        wantRemoval(now)
        return []
    }

    private mutating func exited(run: UInt64, _ status: ExitStatus, _ now: Moment) -> [Effect] {
        let wasStopping = killDueBootNanos != 0
        let ranNanos = status.atUnixNanos - startedAtUnixNanos
        self.run = max(self.run, run)
        hasRun = true
        settle(nil)
        exit = status
        exitCount += 1
        pid = 0
        killDueBootNanos = 0
        (isPauseWanted, isPauseTold) = (false, false)
        health.end()
        phase = .exited
        tell(.die, now, exit: status)
        if wasStopping { tell(.stop, now) }
        let restarts = policy.restarts(after: status, restartCount: restartCount)
        guard restarts, !isManuallyStopped, !isBeingDeleted else {
            wantRemoval(now)
            return []
        }
        phase = .restarting
        backOffNanos = BackOff.next(after: backOffNanos, ranNanos: ranNanos)
        return [.restart(afterNanos: backOffNanos, run: self.run)]
    }

    private mutating func settle(_ failure: StartFailure?) {
        settledRun = run
        settledFailure = failure
    }

    private mutating func wantRemoval(_ now: Moment) {
        guard isAutoRemoved, !isRemovalWanted, !isBeingDeleted else { return }
        isRemovalWanted = true
        tell(.removalWanted, now)
    }

    mutating func tell(
        _ action: Event.Action,
        _ now: Moment,
        exit: ExitStatus? = nil,
        exec: String = "",
        signal: Int32 = 0,
        health: Health.Status? = nil
    ) {
        eventNumber += 1
        pending.append(
            Event(
                wallUnixNanos: now.wallUnixNanos,
                bootNanos: now.bootNanos,
                owner: owner,
                container: id.text,
                action: action,
                exit: exit,
                exec: exec,
                signal: signal,
                run: run,
                health: health,
                number: eventNumber
            )
        )
    }
}
