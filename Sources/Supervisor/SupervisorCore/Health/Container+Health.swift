// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import JSON
internal import Logging
internal import Messages
internal import RuntimeSpec
internal import System

/// Asks the container whether it is well, from time to time.
///
/// A probe is a process in the container with an id that follows from the run and the number of probes before it: a
/// supervisor that finds a probe under way takes it up by asking for the same one again.
extension Container {
    /// How long the last output of a probe that has ended may take.
    private static let outputNanos: Int64 = 2_000_000_000

    fileprivate enum ProbeEnd: Sendable {
        case ended(exitCode: Int32, atUnixNanos: Int64, output: [UInt8])
        case notExecuted(StartFailure)
        case timeUp
        /// The run is over, or stands still: nothing was found out.
        case abandoned
    }

    /// Goes on until the container is removed, or cancelled.
    func watchHealth() async {
        guard let check = request.healthCheck, let process = probeProcess(check) else { return }
        while !isReleased, !isRemoved, !Task.isCancelled {
            do {
                _ = try await wait { $0.mayBeProbed || $0.isReleased || $0.isRemoved }
                guard mayBeProbed else { continue }
                let run = lifecycle.run
                let isOver = try await wait(untilBootNanos: lifecycle.health.due(check)) {
                    !$0.mayBeProbed || $0.lifecycle.run != run
                }
                if !isOver { await probe(check, process, run: run) }
            } catch {
                return
            }
        }
    }

    private var mayBeProbed: Bool {
        lifecycle.phase == .running && !lifecycle.isPauseWanted && !lifecycle.isBeingDeleted && !isReleased
    }

    /// The container's own process with other arguments; nil when the check names none.
    private func probeProcess(_ check: HealthCheck) -> [UInt8]? {
        guard let arguments = check.arguments,
            var process = try? ContainerSpec(parsing: request.specification).process
        else { return nil }
        process.args = arguments
        process.terminal = false
        process.consoleSize = nil
        return process.json.serialized()
    }

    private func probe(_ check: HealthCheck, _ process: [UInt8], run: UInt64) async {
        guard let exec = ExecID.probe(run: run, number: lifecycle.health.probes + 1) else { return }
        surroundings.faults.reach("supervisor.health.due")
        let (wall, boot) = (Clock.wallNanos, Clock.bootNanos)
        // One that an earlier supervisor began has had part of its time.
        let began = execs[exec.text].map { min(wall, $0.startedAtUnixNanos) } ?? wall
        let due = max(boot + check.timeoutNanos - (wall - began), boot + 1_000_000)
        let order = ExecOrder(
            id: exec,
            process: process,
            opensStdin: false,
            isDetached: false,
            isTransient: true
        )
        let end: ProbeEnd
        do {
            end = try await probeEnd(order, untilBootNanos: due)
        } catch {
            // The keeper is away, or the run ends just now: asked again soon.
            surroundings.logger.info("health", metadata: ["id": "\(id)", "error": "\(error)"])
            try? await Task.sleep(for: .milliseconds(500))
            return
        }
        surroundings.faults.reach("supervisor.health.probed")
        if case .timeUp = end { await endProbe(exec) }
        if case .abandoned = end { return await endProbe(exec) }
        record(end.result(beganUnixNanos: began, check), run: run, startedBootNanos: boot - (wall - began))
    }

    private func record(_ result: Health.Result?, run: UInt64, startedBootNanos: Int64) {
        guard let result else { return }
        do {
            try change { lifecycle throws(SupervisorError) in
                lifecycle.noteProbe(
                    result,
                    run: run,
                    startedBootNanos: startedBootNanos,
                    now: surroundings.now
                )
            }
            surroundings.faults.reach("supervisor.health.recorded")
        } catch {
            // The disk is full: what was found is not worth stopping for.
            surroundings.logger.warning("health", metadata: ["id": "\(id)", "error": "\(error)"])
        }
    }

    private func probeEnd(_ order: ExecOrder, untilBootNanos due: Int64) async throws -> ProbeEnd {
        try await withThrowingTaskGroup(of: ProbeEnd.self) { group in
            defer { group.cancelAll() }
            group.addTask { try await self.conduct(order) }
            group.addTask { try await self.interruption(ofProbeBefore: due) }
            return try await group.next() ?? .abandoned
        }
    }

    private func interruption(ofProbeBefore due: Int64) async throws -> ProbeEnd {
        try await wait(untilBootNanos: due) { !$0.mayBeProbed } ? .abandoned : .timeUp
    }

    private func conduct(_ order: ExecOrder) async throws -> ProbeEnd {
        do {
            _ = try await exec(order)
        } catch SupervisorError.startFailed(_, let failure) where !failure.isGate {
            return .notExecuted(failure)
        }
        let output = try await output(ofProbe: order.id.text)
        let ended = try await waitForExec(order.id.text)
        guard let exit = ended.exit else { return .abandoned }
        return .ended(exitCode: Int32(exit.code), atUnixNanos: exit.atUnixNanos, output: output)
    }

    /// Returns once the process has ended; whatever it still leaves is not waited for long.
    private func output(ofProbe exec: String) async throws -> [UInt8] {
        var output = ProbeOutput(limit: Health.outputLimit)
        var deadline: Int64?
        while true {
            let hasEnded = !(try self.exec(exec).isRunning)
            if hasEnded, deadline == nil { deadline = Clock.bootNanos + Self.outputNanos }
            do {
                try await output.read(
                    from: directory.streamSocket,
                    exec: exec,
                    poller: surroundings.poller
                )
                if hasEnded || output.isAtEnd { return output.bytes }
            } catch let error as SystemError {
                if let deadline, Clock.bootNanos > deadline { return output.bytes }
                surroundings.logger.debug("health", metadata: ["id": "\(id)", "error": "\(error)"])
            }
            _ = try await wait(untilBootNanos: Clock.bootNanos + 20_000_000) {
                $0.isRemoved || !(((try? $0.exec(exec))?.isRunning) ?? false)
            }
        }
    }

    /// A probe whose time is up, or whose result nobody wants.
    private func endProbe(_ exec: ExecID) async {
        do {
            _ = try await killExec(exec.text, signal: 9)
        } catch {
            surroundings.logger.info("end of a probe", metadata: ["id": "\(id)", "error": "\(error)"])
        }
    }
}

extension Container.ProbeEnd {
    fileprivate func result(beganUnixNanos began: Int64, _ check: HealthCheck) -> Health.Result? {
        func result(_ code: Int32, _ end: Int64, _ output: [UInt8]) -> Health.Result {
            Health.Result(
                startedAtUnixNanos: began,
                endedAtUnixNanos: end,
                exitCode: code,
                output: output
            )
        }
        switch self {
        case .ended(let code, let end, let output): return result(code, end, output)
        case .notExecuted(let failure):
            return result(-1, Clock.wallNanos, Array("cannot be executed: \(failure)".utf8))
        case .timeUp:
            let millis = check.timeoutNanos / 1_000_000
            let limit = millis % 1000 == 0 ? "\(millis / 1000)s" : "\(millis)ms"
            let text = "Health check exceeded timeout (\(limit))"
            return result(-1, Clock.wallNanos, Array(text.utf8))
        case .abandoned: return nil
        }
    }
}

extension ExecID {
    /// 32 zeros, the run, the number: nobody draws such an id by chance.
    package static func probe(run: UInt64, number: UInt64) -> ExecID? {
        func hex(_ value: UInt64) -> String {
            let digits = String(value, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
        return ExecID(String(repeating: "0", count: 32) + hex(run) + hex(number))
    }

    /// Whether it is of the supervisor's own making.
    package var isProbe: Bool { text.hasPrefix(String(repeating: "0", count: 32)) }
}
