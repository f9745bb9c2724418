// SPDX-License-Identifier: Apache-2.0
internal import Events
package import Messages
internal import RuntimeSpec
internal import System

/// Another process in a container, as it is told to clients.
package struct ExecSnapshot: Sendable {
    package let id: String
    package let container: ContainerID
    package let isRunning: Bool
    /// 0 unless it runs.
    package let pid: Int32
    package let exit: ExitStatus?
    package let streamSocket: String
}

/// What is asked for in an exec.
package struct ExecOrder: Sendable {
    package let id: ExecID
    /// A `process` object of the runtime specification.
    package let process: [UInt8]
    package let opensStdin: Bool
    package let isDetached: Bool
    /// Of interest to nobody once it has ended.
    package let isTransient: Bool

    package init(
        id: ExecID,
        process: [UInt8],
        opensStdin: Bool,
        isDetached: Bool,
        isTransient: Bool = false
    ) {
        self.isTransient = isTransient
        self.id = id
        self.process = process
        self.opensStdin = opensStdin
        self.isDetached = isDetached
    }
}

/// Processes beside init. Their records are the keeper's; the last hundred are remembered.
extension Container {
    static let execLimit = 100

    /// Keepers that may die, one after another, before a program was executed.
    private static let execAttempts = 10

    /// Starts a process, and returns once its program was executed. Repeating it with the same id starts no
    /// second one.
    /// - Throws: `.startFailed` when it was not executed.
    package func exec(_ order: ExecOrder) async throws -> ExecSnapshot {
        var last: any Error = SupervisorError.notRunning(id)
        for _ in 1...Self.execAttempts {
            guard !lifecycle.isBeingDeleted else { throw SupervisorError.isBeingRemoved(id) }
            // Its greeting tells what became of an attempt that its predecessor made: nobody is to hear of that during
            // the next one, and take it for that one's.
            _ = try await connection()
            do {
                return try await attempt(order)
            } catch SupervisorError.startFailed(let exec, let failure) where failure.isGate {
                // Its program was never executed, and never will be.
                forget(order.id.text)
                last = SupervisorError.startFailed(id: exec, failure)
            } catch let error as SupervisorError {
                switch error {
                case .keeperUnavailable: last = error
                // Another caller, who waited for the same one, has begun anew.
                case .execNotFound: last = error
                default: throw error
                }
            }
        }
        throw last
    }

    private func attempt(_ order: ExecOrder) async throws -> ExecSnapshot {
        if execs[order.id.text] != nil { return try await settled(order.id.text) }
        guard lifecycle.phase == .running else { throw SupervisorError.notRunning(id) }
        guard !lifecycle.isPauseWanted else { throw SupervisorError.isPaused(id) }
        surroundings.faults.reach("supervisor.exec.asked")
        let reply = try await ask(
            .exec(
                KeeperV1.Exec(
                    execId: order.id.text,
                    processJson: order.process,
                    openStdin: order.opensStdin,
                    detached: order.isDetached,
                    transient: order.isTransient
                )
            ),
            within: nil
        )
        if let record = reply.record, !record.execId.isEmpty { note(record) }
        surroundings.faults.reach("supervisor.exec.answered")
        if let failure = reply.failure {
            throw SupervisorError.startFailed(id: order.id.text, StartFailure(failure))
        }
        return try exec(order.id.text)
    }

    /// - Throws: `.execNotFound`.
    package func exec(_ exec: String) throws(SupervisorError) -> ExecSnapshot {
        guard let record = execs[exec] else { throw .execNotFound(exec) }
        return snapshot(of: record)
    }

    /// Waits for its end. Rightly endless; ends by cancellation.
    package func waitForExec(_ exec: String) async throws -> ExecSnapshot {
        _ = try self.exec(exec)
        _ = try await wait { $0.isRemoved || $0.execs[exec]?.hasEnded ?? true }
        return try self.exec(exec)
    }

    package func killExec(_ exec: String, signal: Int32) async throws -> ExecSnapshot {
        let now = try self.exec(exec)
        guard now.isRunning else {
            throw SupervisorError.signalFailed(id: exec, errno: ErrorNumber.noSuchProcess)
        }
        let answer = try await ask(.signal(KeeperV1.Signal(execId: exec, signal: signal)))
        if let failure = answer.failure { throw SupervisorError.signalFailed(id: exec, errno: failure.errno) }
        return try self.exec(exec)
    }

    /// Remembers what the keeper says of an exec.
    func note(_ record: KeeperV1.RunRecord) {
        let exec = record.execId
        guard !exec.isEmpty else { return }
        if let known = execs[exec], !record.supersedes(known) { return }
        if execs.updateValue(record, forKey: exec) == nil { execOrder.append(exec) }
        if record.isTransient { forgetTransients(but: exec) }
        while execOrder.count > Self.execLimit,
            let old = execOrder.firstIndex(where: { execs[$0]?.hasEnded ?? true })
        {
            execs[execOrder.remove(at: old)] = nil
        }
        changes.announce()
    }

    private func forgetTransients(but exec: String) {
        execOrder.removeAll { old in
            guard old != exec, let known = execs[old], known.isTransient, known.hasEnded else { return false }
            execs[old] = nil
            return true
        }
    }

    /// What was held for an attempt that came to nothing must not be taken for the next one's.
    private func forget(_ exec: String) {
        execs[exec] = nil
        execOrder.removeAll { $0 == exec }
        release { $0.holder == .exec(exec) }
    }

    private func settled(_ exec: String) async throws -> ExecSnapshot {
        _ = try await wait { $0.isRemoved || $0.execs[exec]?.state != .building }
        if let record = execs[exec], record.state == .failed {
            throw SupervisorError.startFailed(id: exec, StartFailure(record.failure))
        }
        return try self.exec(exec)
    }

    private func snapshot(of record: KeeperV1.RunRecord) -> ExecSnapshot {
        ExecSnapshot(
            id: record.execId,
            container: id,
            isRunning: !record.hasEnded,
            pid: record.hasEnded ? 0 : record.process?.pid ?? 0,
            exit: record.hasEnded ? ExitStatus(record) : nil,
            streamSocket: directory.streamSocket
        )
    }
}

extension KeeperV1.RunRecord {
    var hasEnded: Bool { state == .exited || state == .failed }
    private var isGateFailure: Bool { state == .failed && failure?.step == "gate" }

    /// Whether this is news of the same exec after `known`: answers and events may cross, and what is told of an attempt
    /// late is nothing of the next one.
    package func supersedes(_ known: KeeperV1.RunRecord) -> Bool {
        if attempt != 0, known.attempt != 0 {
            guard attempt == known.attempt else { return attempt > known.attempt }
            return hasEnded || !known.hasEnded
        }
        // Of keepers that did not number them: by their time, which an attempt's execution moves on.
        guard startedAtUnixNanos >= known.startedAtUnixNanos else { return false }
        let isSameAttempt = startedAtUnixNanos == known.startedAtUnixNanos
        return hasEnded || !known.hasEnded || (!isSameAttempt && known.isGateFailure)
    }
}

extension ExecOrder {
    /// - Throws: `.invalidField` when it is no process of the runtime specification.
    package static func check(process text: [UInt8]) throws(SupervisorError) {
        guard text.count <= 1 << 20 else {
            throw .invalidField(name: "process_json", reason: "larger than 1 MiB")
        }
        do throws(SpecError) {
            _ = try ProcessSpec(parsing: text)
        } catch {
            throw .invalidField(name: "process_json", reason: error.description)
        }
    }
}
