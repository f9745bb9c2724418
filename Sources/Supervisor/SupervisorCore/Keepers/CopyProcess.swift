// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import Messages
internal import Synchronization
internal import System

/// A process that copies files of one container (module Copier): its pipes, and what it reports.
///
/// Owns the process: whoever has it ends it with `kill`, which is harmless when it has ended. Every wait for it is watched by
/// `watch`: a process that gets nowhere is killed, which ends the wait.
final class CopyProcess: Sendable {
    private struct State {
        var data: SharedDescriptor?
        /// Since when something is expected of the process; nil while it waits for somebody else.
        var expectedSinceNanos: Int64?
        /// Why it was killed.
        var verdict: CopyFailure.Kind?
    }

    /// The largest piece of an archive that is handed on.
    static let chunkBytes = 256 << 10
    static let pipeBytes = 1 << 20
    /// How long it may be silent when it is its turn: a disk may be slow, and a tree that is replaced large.
    static let patienceNanos: Int64 = 120_000_000_000
    private static let reportLimit = 64 << 10

    let pid: Int32
    let process: SharedDescriptor
    private let order: CopyOrder
    private let reports: SharedDescriptor
    private let poller: Poller
    private let state: Mutex<State>

    init(
        pid: Int32,
        process: SharedDescriptor,
        order: CopyOrder,
        data: SharedDescriptor?,
        reports: SharedDescriptor,
        poller: Poller
    ) {
        self.pid = pid
        self.process = process
        self.order = order
        self.reports = reports
        self.poller = poller
        state = Mutex(State(data: data))
    }

    func kill(because verdict: CopyFailure.Kind? = nil) {
        state.withLock { if $0.verdict == nil { $0.verdict = verdict } }
        try? ProcessHandle.signal(process.raw, .kill)
    }

    /// Kills it when it gets nowhere. Rightly endless; ends by cancellation.
    func watch() async throws {
        while true {
            try await Task.sleep(for: .seconds(1))
            let since = state.withLock { $0.expectedSinceNanos }
            if let since, Clock.bootNanos - since > Self.patienceNanos { kill(because: .stalled) }
        }
    }

    // MARK: Archive

    /// The next piece of what it packs; empty at the end.
    func read() async throws -> [UInt8] {
        guard let data = state.withLock({ $0.data }) else { return [] }
        return try await expecting { try await poller.bytes(from: data, limit: Self.chunkBytes) }
    }

    /// Hands it what it is to unpack.
    /// - Returns: False when it takes no more.
    func write(_ bytes: [UInt8]) async throws -> Bool {
        guard let data = state.withLock({ $0.data }) else { return false }
        do {
            try await expecting { try await poller.write(bytes, to: data) }
            return true
        } catch let error as SystemError where error.code == ErrorNumber.brokenPipe {
            return false
        }
    }

    /// There is no more to unpack.
    func closeInput() { state.withLock { $0.data = nil } }

    // MARK: Reports

    /// Its first word.
    /// - Throws: `CopyFailure`.
    func status() async throws -> PathStatus {
        guard case .status(let status)? = try await report() else { throw ending }
        return PathStatus(status)
    }

    /// Its last word.
    /// - Throws: `CopyFailure`.
    func finish() async throws {
        guard case .done? = try await report() else { throw ending }
    }

    private var ending: CopyFailure {
        CopyFailure(state.withLock { $0.verdict } ?? .ended, path: order.path)
    }

    /// - Returns: Nil when it has ended.
    private func report() async throws -> KeeperV1.CopyReport.Body? {
        try await expecting {
            let head = try await exactly(4)
            let length = head.reversed().reduce(0) { $0 << 8 | Int($1) }
            guard head.count == 4, length <= Self.reportLimit else { return nil }
            let bytes = try await exactly(length)
            guard bytes.count == length else { return nil }
            let body = try KeeperV1.CopyReport(serialized: bytes).body
            if case .failure(let failure) = body { throw CopyFailure(failure) }
            return body
        }
    }

    private func exactly(_ count: Int) async throws -> [UInt8] {
        var result: [UInt8] = []
        while result.count < count {
            let more = try await poller.bytes(from: reports, limit: count - result.count)
            if more.isEmpty { break }
            result += more
        }
        return result
    }

    private func expecting<Result>(_ body: () async throws -> Result) async throws -> Result {
        state.withLock { $0.expectedSinceNanos = Clock.bootNanos }
        defer { state.withLock { $0.expectedSinceNanos = nil } }
        return try await body()
    }
}

extension KeeperProgram {
    /// Starts a process that copies files of a container. It ends with the thread that calls this.
    /// - Parameter process: The container's first process; nil when it does not run.
    func spawnCopy(
        _ order: CopyOrder,
        of directory: ContainerDirectory,
        process: SharedDescriptor?
    ) throws(SystemError) -> CopyProcess {
        let log = try Files.open(logFile, [.writeOnly, .create, .append], mode: 0o600)
        let reports = try Pipe()
        let data = try Pipe()
        let gate = try Pipe()
        var arguments = ["--archive", order.operation.rawValue, "--directory", directory.path]
        arguments += ["--path", order.path]
        if order.keepsKinds { arguments.append("--keep-kinds") }
        if order.isForUser { arguments.append("--for-user") }
        var descriptors: [Int32: Int32] = [2: log.raw, 3: reports.writeEnd.raw, 4: gate.readEnd.raw]
        var own: SharedDescriptor?
        switch order.operation {
        case .status: break
        case .read:
            descriptors[1] = data.writeEnd.raw
            own = SharedDescriptor(try data.readEnd.duplicate())
        case .write:
            descriptors[0] = data.readEnd.raw
            own = SharedDescriptor(try data.writeEnd.duplicate())
        }
        if let process { descriptors[5] = process.raw }
        if let own {
            // This end alone: the other one blocks.
            try Files.setNonBlocking(own.raw)
            // A smaller one is slower, nothing else.
            try? Pipe.resize(own.raw, toBytes: CopyProcess.pipeBytes)
        }
        let answers = SharedDescriptor(try reports.readEnd.duplicate())
        try Files.setNonBlocking(answers.raw)
        let child = try start(name: "petrel-archive", arguments, descriptors)
        withExtendedLifetime(process) {}
        // Until now it cannot have ended, so the number was still its own. One that was killed meanwhile needs no word.
        try? Files.writeAll(gate.writeEnd.raw, [1])
        return CopyProcess(
            pid: child.pid,
            process: SharedDescriptor(try child.process.duplicate()),
            order: order,
            data: own,
            reports: answers,
            poller: poller
        )
    }
}
