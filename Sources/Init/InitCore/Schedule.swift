// SPDX-License-Identifier: Apache-2.0

/// All daemons in their order: which are to be started, told to stop or killed now. A pure value.
///
/// Starts do not wait for each other: the listening sockets are there before any daemon, so a daemon that calls one
/// which is not up yet waits in its backlog. Stops do: a daemon is told to stop only when every later one that shall
/// stop too is gone, since later ones call earlier ones while they drain.
package struct Schedule: Hashable, Sendable {
    package enum Step: Hashable, Sendable {
        case spawn(String)
        /// SIGTERM.
        case terminate(String)
        /// SIGKILL.
        case kill(String)
    }

    /// In the order of their start.
    package let names: [String]
    private var lives: [String: DaemonLifecycle] = [:]
    /// Daemons whose running process shall end, whether or not another follows.
    private var ending: Set<String> = []

    package init(names: [String]) {
        self.names = names
        for name in names { lives[name] = DaemonLifecycle() }
    }

    package subscript(name: String) -> DaemonLifecycle {
        get { lives[name] ?? DaemonLifecycle() }
        set { if lives[name] != nil { lives[name] = newValue } }
    }

    package func contains(_ name: String) -> Bool { lives[name] != nil }

    /// The daemon whose process has this number.
    package func name(ofProcess pid: Int32) -> String? { names.first { self[$0].pid == pid } }

    package var isAllStopped: Bool { names.allSatisfy { self[$0].phase == .stopped } }

    /// Whether the daemon's present process was told to end, or will be when its turn comes.
    package func isEnding(_ name: String) -> Bool { ending.contains(name) }

    /// When `due` may have something to say without anything having happened.
    package var deadline: Int64? { names.compactMap { self[$0].deadline }.min() }

    /// Starts the daemons; ones that run are left alone.
    package mutating func start(_ chosen: [String], now: Int64) {
        for name in chosen { self[name].want(now: now) }
    }

    package mutating func stop(_ chosen: [String]) {
        for name in chosen {
            self[name].unwant()
            if self[name].isUp { ending.insert(name) }
        }
    }

    /// Ends the running processes and starts others; starts what does not run.
    package mutating func restart(_ chosen: [String], now: Int64) {
        for name in chosen {
            if self[name].isUp { ending.insert(name) }
            self[name].want(now: now)
        }
    }

    package mutating func exited(_ name: String, status: Int32?, now: Int64) {
        ending.remove(name)
        self[name].exited(status: status, now: now)
    }

    /// What to do now, in this order. Terminations and kills are taken as done by the caller; spawns it reports.
    package mutating func due(now: Int64) -> [Step] {
        var steps: [Step] = []
        for name in names {
            switch self[name].phase {
            case .backOff(let until) where until <= now: steps.append(.spawn(name))
            case .stopping(_, let killAt) where killAt <= now:
                self[name].killed()
                steps.append(.kill(name))
            default: continue
            }
        }
        // From the last: it waits for nobody; each earlier one waits while a later one still ends.
        for name in names.reversed() where ending.contains(name) {
            if self[name].isUp {
                self[name].terminated(now: now)
                steps.append(.terminate(name))
            }
            break
        }
        return steps
    }
}
