// SPDX-License-Identifier: Apache-2.0
internal import ContainerRuntime
internal import Messages
internal import System

/// One process of the container, init or exec, from its record to its end; owns the keeper's descriptors for it.
///
/// ```
/// building (born) ─ gate opened ─▶ released ─ status pipe ends ─▶ running ─ pidfd readable ─▶ ended ─ output taken ─▶ finished
///     └──────────────────────── status pipe has bytes: failed ──────────────────────────────────────────────────┘
/// ```
/// A step is taken only when its record is on disk; one that cannot be written is tried again at `retryAt`.
final class Job {
    enum Phase {
        /// Not born yet, or custody was offered and the process waits at its gate.
        case building
        /// The gate is open (or gone with the keeper before): the status pipe's end will tell.
        case released
        /// The program was executed; not recorded yet.
        case executed
        case running
        /// The process has ended, with this wait status (nil: nobody can tell); not recorded yet.
        case ended(waitStatus: Int32?)
        case finished
    }

    /// Who asked for the start and waits for its reply.
    struct Waiter {
        let connection: ControlConnection
        let packetID: UInt64
    }

    var record: KeeperV1.RunRecord
    var phase: Phase
    /// The pidfd.
    var process: SharedDescriptor?
    var status: SharedDescriptor?
    /// Until the process is born; `process` is the one that prepares it.
    var birth: Birth?
    var gate: SharedDescriptor?
    var input: InputStage?
    var terminal: SharedDescriptor?
    var outputs: [OutputSource] = []
    var waiters: [Waiter] = []
    var clients: [StreamClient] = []
    /// Its client is done, and the process has not yet taken all.
    var closesInputWhenEmpty = false
    /// Since when nobody is there who could send input, in boot time.
    var inputLeftAt: Int64?
    var hadInputClient = false
    /// What clients are told of the input, also when it has ended.
    var inputState: (accepted: Int64, delivered: Int64)?
    /// It had to be let go of before a client had all of it.
    var outputLost = false
    /// All its processes are of a process namespace that ends with it; of a run that another keeper started nobody knows.
    var endsNamespace = false
    /// In boot time.
    var retryAt: Int64?
    /// When the end was noticed, in boot time; 0 before.
    var endedAt: Int64 = 0
    var exitedAtUnixNanos: Int64 = 0
    /// When bytes last came out of it, in boot time.
    var lastOutputAt: Int64 = 0

    init(record: KeeperV1.RunRecord, phase: Phase) {
        self.record = record
        self.phase = phase
    }

    var isExec: Bool { !record.execId.isEmpty }

    var isFinished: Bool {
        if case .finished = phase { true } else { false }
    }

    /// Whether its process may still be there.
    var isAlive: Bool {
        switch phase {
        case .building, .released, .executed, .running: true
        case .ended, .finished: false
        }
    }

    var isDrained: Bool { outputs.allSatisfy(\.isDrained) }

    /// Whether a client takes its output.
    var hasReader: Bool { clients.contains(where: \.wantsOutput) }

    /// What a second holder needs, in the order in which it is sent.
    var custody: [(KeeperV1.NamedDescriptor.Role, SharedDescriptor)] {
        var result: [(KeeperV1.NamedDescriptor.Role, SharedDescriptor)] = []
        if let process { result.append((.pidfd, process)) }
        if let status { result.append((.statusRead, status)) }
        if let input {
            if !input.isTerminal { result.append((.stdinWrite, input.process)) }
            result.append((.stdinStage, input.file))
        }
        for output in outputs where !output.isDrained { result += output.roles }
        if let terminal, !result.contains(where: { $0.0 == .terminal }) {
            result.append((.terminal, terminal))
        }
        return result
    }

    /// Lets go of everything but the record.
    func closeDescriptors() {
        (process, status, gate, input, terminal) = (nil, nil, nil, nil, nil)
        birth = nil
        outputs = []
        for client in clients { client.finish() }
        clients = []
    }
}
