// SPDX-License-Identifier: Apache-2.0
internal import Synchronization
package import System

/// One thread that waits for descriptors, keeps time, runs tasks, and carries out what they and others ask of those who live
/// on it: none of that wakes another thread, and what a task on the loop asks for needs no further wait.
///
/// It owns its thread (one of its own, or the one that runs it), for the life of the process, and holds what it watches. Tasks
/// only if they never hold it up: all that live on it wait meanwhile.
///
/// A pass of the loop: what was found ready is told, then what is due; then all that is ready runs, and all that this makes
/// ready, up to a bound; then it waits.
package final class EventLoop: TaskExecutor {
    /// Who is told what was found on a descriptor. On the loop.
    package protocol Source: AnyObject {
        func ready(_ found: Epoll.Interest)
    }

    /// Who lives on the loop, and is told things from anywhere.
    package protocol Resident: AnyObject, Sendable {
        /// On the loop: carries out what it was told since the last time.
        func carryOut()
    }

    /// A descriptor that is watched.
    package struct Watch: Sendable {
        fileprivate let raw: Int32
        fileprivate let token: UInt64
    }

    /// Lets what belongs to the loop be captured by what runs on it.
    package struct Bound<Value>: @unchecked Sendable {
        /// On the loop only.
        package let value: Value
        package init(_ value: Value) { self.value = value }
    }

    private struct State {
        var jobs: [UnownedJob] = []
        var residents: [any Resident] = []
        var actions: [@Sendable () -> Void] = []
        var timers = Timers()
        /// It looks at all this before it waits; if not, it is to be woken.
        var isAwake = true

        var isIdle: Bool { jobs.isEmpty && residents.isEmpty && actions.isEmpty }

        /// - Returns: Whether it is to be woken.
        mutating func wake() -> Bool {
            defer { isAwake = true }
            return !isAwake
        }
    }

    private let epoll: Epoll
    private let counter: EventCounter
    private let state = Mutex(State())
    private let thread = Atomic<UInt>(0)
    private static let hasNoThread = Atomic(false)

    // On the loop.
    nonisolated(unsafe) private var places: [Place] = []
    nonisolated(unsafe) private var freePlaces: [Int] = []
    /// Who was told something by what runs just now.
    nonisolated(unsafe) private var due: [any Resident] = []
    /// Made when time is first to be kept, and when it ends the wait, if it is set.
    nonisolated(unsafe) private var alarm: BootTimer?
    nonisolated(unsafe) private var alarmNanos: Int64?
    /// Empty lists, kept for their memory.
    nonisolated(unsafe) private var spare: (jobs: [UnownedJob], residents: [any Resident]) = ([], [])

    /// The loop looks after its descriptors at least so often.
    private static let jobsAtOnce = 256
    /// Lists are not kept for their memory beyond what a busy connection needs.
    private static let keptCount = 1024
    /// What wakes the loop.
    private static let counterToken = UInt64.max
    private static let alarmToken = UInt64.max - 1

    /// Where a source is found by its watch's token: the place's number, and above it how often the place was taken.
    private struct Place {
        var source: (any Source)?
        var token: UInt64
    }

    /// The process's loop; made when first used. One serves all connections: handlers that run on it talk to their clients
    /// and to their peers without waking another thread.
    package static let shared: EventLoop = {
        ProgramMemory.keepFree()
        let loop: EventLoop
        do {
            loop = try EventLoop()
            if !hasNoThread.load(ordering: .relaxed) { try loop.start() }
        } catch {
            // A program without two descriptors and a thread to spare, when it starts, can do nothing at all.
            try? Files.writeAll(2, Array("cannot start the event loop: \(error)\n".utf8))
            CurrentProcess.exit(1)
        }
        return loop
    }()

    private init() throws(SystemError) {
        epoll = try Epoll()
        counter = try EventCounter()
        try epoll.watch(counter.raw, .readable, token: Self.counterToken)
    }

    // MARK: - Its thread

    /// Before the process's loop is first used: what it is asked for waits until `start` or `runHere` is called. For programs that
    /// must be quick: a second thread costs one that only asks a question a tenth of its time.
    package static func leaveWithoutThread() { hasNoThread.store(true, ordering: .relaxed) }

    /// On a thread of its own; once.
    package func start() throws(SystemError) {
        try Threads.start {
            try? Threads.setName("event-loop")
            self.run()
        }
    }

    /// On the calling thread, for the rest of the process's life.
    package func runHere() -> Never { run() }

    // MARK: - From anywhere

    /// Whether it is the loop that asks.
    package var isCurrent: Bool { thread.load(ordering: .relaxed) == Threads.current }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        add { $0.jobs.append(job) }
    }

    /// The resident carries out soon what it was told.
    package func deliver(_ resident: any Resident) { add { $0.residents.append(resident) } }

    /// Calls `body` on the loop, soon.
    package func execute(_ body: @escaping @Sendable () -> Void) { add { $0.actions.append(body) } }

    /// Calls `body` on the loop at `dueNanos` of boot time, unless it is cancelled before: kept to the millisecond, and never
    /// early.
    @discardableResult
    package func schedule(atBootNanos dueNanos: Int64, _ body: @escaping @Sendable () -> Void) -> Timer {
        let (timer, mustWake) = state.withLock { state -> (Timer, Bool) in
            let (timer, isFirst) = state.timers.add(dueNanos: dueNanos, body)
            return (timer, isFirst && state.wake())
        }
        if mustWake { wake() }
        return timer
    }

    /// The same, so much from now. With zero, the next pass calls it: other descriptors come first.
    @discardableResult
    package func schedule(after time: Duration, _ body: @escaping @Sendable () -> Void) -> Timer {
        schedule(atBootNanos: Clock.bootNanos(after: time), body)
    }

    /// On the loop, it is not called from now on. From elsewhere, it may be called at this very moment.
    package func cancel(_ timer: Timer) { _ = state.withLock { $0.timers.cancel(timer) } }

    private func add(_ body: (inout State) -> Void) {
        let mustWake = state.withLock { state in
            body(&state)
            return state.wake()
        }
        if mustWake { wake() }
    }

    /// On the loop, what is told of descriptors that are ready is found before the next wait.
    private func wake() { if !isCurrent { counter.signal() } }

    // MARK: - On the loop

    /// Tells `source` what is found on a descriptor, as long as it is so, until `unwatch`.
    /// - Throws: `EPERM` for files that are always ready, `ENOSPC`, `ENOMEM`.
    package func watch(
        _ raw: Int32,
        _ interest: Epoll.Interest,
        _ source: any Source
    ) throws(SystemError) -> Watch {
        if freePlaces.isEmpty {
            freePlaces.append(places.count)
            places.append(Place(token: UInt64(places.count)))
        }
        let index = freePlaces[freePlaces.count - 1]
        let token = places[index].token
        try epoll.watch(raw, interest, token: token)
        freePlaces.removeLast()
        places[index].source = source
        return Watch(raw: raw, token: token)
    }

    /// What is looked for from now on; that the other side is gone is found in any case.
    package func change(_ watch: Watch, _ interest: Epoll.Interest) {
        // It fails for want of nothing: the descriptor is watched.
        try? epoll.change(watch.raw, interest, token: watch.token)
    }

    /// Before the descriptor is closed. Nothing more is told, not even what was found in this pass.
    package func unwatch(_ watch: Watch) {
        let index = Self.index(of: watch.token)
        guard places[index].token == watch.token else { return }
        epoll.remove(watch.raw)
        places[index] = Place(token: watch.token &+ (1 << 32))
        freePlaces.append(index)
    }

    private static func index(of token: UInt64) -> Int { Int(token & 0xffff_ffff) }

    /// The resident carries out what it was told when what is ready has run.
    package func deliverHere(_ resident: any Resident) { due.append(resident) }

    private func run() -> Never {
        thread.store(Threads.current, ordering: .relaxed)
        while true {
            let isDone = runReady()
            let limit = state.withLock { state in
                state.isAwake = !isDone || !state.isIdle
                return state.isAwake ? 0 : state.timers.nextNanos
            }
            do throws(SystemError) {
                try epoll.wait(untilBootNanos: setAlarm(limit)) { tell($0) }
            } catch {
                // The descriptor is ours, and open: only a mistake of ours ends here.
                fatalError("the event loop cannot wait: \(error)")
            }
            runDue()
        }
    }

    private func tell(_ report: Epoll.Report) {
        switch report.token {
        case Self.counterToken: counter.clear()
        case Self.alarmToken:
            alarm?.clear()
            alarmNanos = nil
        default:
            let place = places[Self.index(of: report.token)]
            if place.token == report.token { place.source?.ready(report.found) }
        }
    }

    /// The kernel's timer ends the wait: a limit of the wait itself would have to be set with each, which costs a machine's guest a
    /// microsecond. It stays where it is when the first thing is due later than before.
    /// - Parameter limit: In boot time; zero: there is no wait.
    /// - Returns: The limit that is left for the wait.
    private func setAlarm(_ limit: Int64?) -> Int64? {
        guard let limit else { return nil }
        guard limit > 0 else { return 0 }
        if let alarmNanos, alarmNanos <= limit { return nil }
        guard limit > Clock.bootNanos else { return 0 }
        do throws(SystemError) {
            if alarm == nil {
                let timer = try BootTimer()
                try epoll.watch(timer.raw, .readable, token: Self.alarmToken)
                alarm = consume timer
            }
            try alarm?.set(bootNanos: limit)
        } catch {
            // Without a descriptor to spare, the wait keeps the time.
            return limit
        }
        alarmNanos = limit
        return nil
    }

    private func runDue() {
        let now = state.withLock { state in
            state.isAwake = true
            return state.timers.nextNanos
        }.map { _ in Clock.bootNanos }
        guard let now else { return }
        // One by one: each may cancel those that follow.
        while let body = state.withLock({ $0.timers.takeNext(atBootNanos: now) }) { body() }
    }

    /// Runs what is ready, and what that makes ready, up to a bound.
    /// - Returns: Whether nothing was left, the last time that it looked.
    private func runReady() -> Bool {
        var count = 0
        var (jobs, residents): ([UnownedJob], [any Resident]) = ([], [])
        swap(&jobs, &spare.jobs)
        swap(&residents, &spare.residents)
        defer {
            let capacity = max(jobs.capacity, residents.capacity)
            spare = capacity <= Self.keptCount ? (jobs, residents) : ([], [])
        }
        while count < Self.jobsAtOnce {
            jobs.removeAll(keepingCapacity: true)
            residents.removeAll(keepingCapacity: true)
            var actions: [@Sendable () -> Void] = []
            state.withLock { state in
                swap(&state.jobs, &jobs)
                swap(&state.residents, &residents)
                swap(&state.actions, &actions)
            }
            guard !jobs.isEmpty || !residents.isEmpty || !actions.isEmpty || !due.isEmpty else { return true }
            count += jobs.count + residents.count + actions.count
            for action in actions { action() }
            // Tasks first: a resident is told something by many, and tells its peer all of that at once.
            for job in jobs { job.runSynchronously(on: asUnownedTaskExecutor()) }
            if !due.isEmpty { residents += due }
            due.removeAll(keepingCapacity: true)
            for resident in residents { resident.carryOut() }
        }
        return due.isEmpty
    }
}
