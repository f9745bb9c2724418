// SPDX-License-Identifier: Apache-2.0
internal import Messages
internal import Suite
internal import System

/// What the control socket's requests mean.
extension Init {
    /// Failures of one daemon after which a START or RESTART gives up waiting (petrel-init itself does not).
    private static let patience: UInt32 = 4
    private static let defaultTimeoutMillis: UInt32 = 60_000

    func answer(_ request: InitV1.Request) -> ControlAnswer {
        for name in request.daemons where !schedule.contains(name) {
            let known = schedule.names.joined(separator: ", ")
            return .now(InitV1.Reply(error: "no daemon is called \(name); there are: \(known)"))
        }
        let chosen = request.daemons.isEmpty ? schedule.names : request.daemons
        let now = Clock.bootNanos
        let millis = request.timeoutMillis == 0 ? Self.defaultTimeoutMillis : request.timeoutMillis
        let deadline = now + Int64(millis) * 1_000_000
        if isShuttingDown, request.action != .status, request.action != .shutdown {
            return .now(InitV1.Reply(error: "petrel-init is shutting down"))
        }
        switch request.action {
        case .status: return .now(reply())
        case .start:
            schedule.start(chosen, now: now)
            return .when(.ready(chosen, failuresAllowed: failuresAllowed(chosen)), deadline: deadline)
        case .restart:
            schedule.restart(chosen, now: now)
            return .when(.ready(chosen, failuresAllowed: failuresAllowed(chosen)), deadline: deadline)
        case .stop:
            schedule.stop(chosen)
            return .when(.stopped(chosen), deadline: nil)
        case .shutdown:
            shutDown()
            return .when(.stopped(schedule.names), deadline: nil)
        default: return .now(InitV1.Reply(error: "action \(request.action.rawValue) is not known"))
        }
    }

    /// The reply to a request that waits, once its wait is over.
    func outcome(_ condition: ControlSocket.Condition, isLate: Bool) -> InitV1.Reply? {
        switch condition {
        case .stopped(let names):
            return names.allSatisfy { schedule[$0].phase == .stopped } ? reply() : nil
        case .ready(let names, let failuresAllowed):
            for name in names where schedule[name].restarts > failuresAllowed[name] ?? .max {
                return reply(error: "\(name) fails again and again: \(trouble(with: name))")
            }
            if let name = names.first(where: { !schedule[$0].isWanted }) {
                return reply(error: "\(name) was stopped meanwhile")
            }
            // A daemon that is still to end and come back is not ready yet, whatever it said earlier.
            let missing = names.first { !schedule[$0].isReady || schedule.isEnding($0) }
            guard let missing else { return reply() }
            return isLate ? reply(error: "\(missing) is not ready in time: \(trouble(with: missing))") : nil
        }
    }

    private func failuresAllowed(_ names: [String]) -> [String: UInt32] {
        var allowed: [String: UInt32] = [:]
        for name in names { allowed[name] = schedule[name].restarts &+ Self.patience }
        return allowed
    }

    private func trouble(with name: String) -> String {
        let life = schedule[name]
        let last = life.lastWaitStatus.map { "it last \(WaitStatus($0).description)" }
        let said = life.statusText.isEmpty ? nil : life.statusText
        return [said, last, "see \(options.location.log(of: name))"].compactMap { $0 }.joined(separator: "; ")
    }

    private func reply(error: String = "") -> InitV1.Reply {
        InitV1.Reply(
            error: error,
            daemons: daemons.map(describe),
            initPid: SystemEnvironment.processID,
            release: Release.version
        )
    }

    private func describe(_ daemon: ManagedDaemon) -> InitV1.Daemon {
        let name = daemon.definition.name
        let life = schedule[name]
        return InitV1.Daemon(
            name: name,
            state: state(of: life),
            pid: life.pid ?? 0,
            startedAtUnixNanos: life.pid == nil ? 0 : daemon.startedAtWallNanos,
            restarts: life.restarts,
            socket: options.location.socket(of: name),
            executable: options.executables + "/" + daemon.definition.executable,
            lastWaitStatus: life.lastWaitStatus,
            storedDescriptors: UInt32(daemon.store.entries.count),
            statusText: life.statusText
        )
    }

    private func state(of life: DaemonLifecycle) -> InitV1.Daemon.State {
        switch life.phase {
        case .stopped: .stopped
        case .backOff: .backOff
        case .starting: .starting
        case .ready: .ready
        case .stopping: .stopping
        }
    }
}
