// SPDX-License-Identifier: Apache-2.0
internal import ContainerRuntime
internal import Messages
internal import RuntimeSpec
internal import System

/// The container's directory: what the supervisor wrote for the keeper, and the keeper's own records.
///
/// Every record is replaced whole, so a killed keeper leaves the old or the new one. None is synced: after another boot of
/// the machine nothing runs of what they tell, and the supervisor's own record says what is to be remembered.
struct ContainerFiles {
    /// Records of finished execs that are kept.
    static let execRecordLimit = 100

    let directory: String
    /// RUN/containers/ID: the sockets.
    let runDirectory: String

    var controlSocket: String { runDirectory + "/keeper.sock" }
    var streamSocket: String { runDirectory + "/stream.sock" }
    var spool: String { directory + "/spool" }
    var events: String { directory + "/events" }
    private var execs: String { directory + "/execs" }

    /// Takes the container's one place for a keeper. The descriptor is the lock: it is to be held, and the file is not to
    /// be opened again, as closing that would end the lock.
    /// - Throws: step "lock" when another process is the container's keeper.
    func lock() throws(StepFailure) -> SharedDescriptor {
        let path = directory + "/keeper.lock"
        do throws(SystemError) {
            let file = SharedDescriptor(try Files.open(path, [.readWrite, .create], mode: 0o600))
            guard try FileLocks.tryRecordLock(file.raw) else {
                throw SystemError("lock", path: path, code: KeeperError.busy)
            }
            return file
        } catch {
            throw StepFailure(error, step: "lock")
        }
    }

    func container() throws(StepFailure) -> KeeperV1.ContainerRecord {
        guard let record: KeeperV1.ContainerRecord = try load("container.pb") else {
            throw StepFailure(step: "record", path: directory + "/container.pb", code: KeeperError.notThere)
        }
        return record
    }

    private var configuration: String { directory + "/config.json" }

    /// A specification that was read, and of which file.
    struct ReadSpec {
        fileprivate let status: FileStatus
        let spec: ContainerSpec
    }

    /// The specification, read again only if another file is there than `known` was: the supervisor replaces it whole.
    func spec(unless known: ReadSpec?) throws(StepFailure) -> ReadSpec {
        let status: FileStatus
        do throws(SystemError) { status = try Files.status(of: configuration) } catch {
            throw StepFailure(error, step: "config")
        }
        if let known, known.status == status { return known }
        // One that comes in between is read for the one before it, and then once more.
        return ReadSpec(status: status, spec: try spec())
    }

    /// Read anew for each run; the supervisor may have changed it.
    func spec() throws(StepFailure) -> ContainerSpec {
        let path = configuration
        do {
            return try ContainerSpec(parsing: try Files.contents(of: path, limit: 4 << 20))
        } catch let error as SystemError {
            throw StepFailure(error, step: "config")
        } catch {
            throw StepFailure(step: "config: \(error)", path: path, code: KeeperError.invalid)
        }
    }

    func seccompProgram(_ record: KeeperV1.ContainerRecord) throws(StepFailure) -> [UInt8] {
        guard !record.seccompProgram.isEmpty else { return [] }
        do throws(SystemError) {
            return try Files.contents(of: record.seccompProgram, limit: 1 << 20)
        } catch {
            throw StepFailure(error, step: "seccomp")
        }
    }

    /// nil too for a record that cannot be read, which is set aside: the supervisor then ends that run.
    func run() throws(StepFailure) -> KeeperV1.RunRecord? {
        do throws(StepFailure) { return try load("run.pb") } catch {
            guard error.code == KeeperError.invalid else { throw error }
            KeeperLog.line("unreadable record run.pb: set aside")
            try? Files.rename(directory + "/run.pb", to: directory + "/run.pb.damaged")
            return nil
        }
    }

    /// In the order in which they were started.
    func execRecords() throws(StepFailure) -> [KeeperV1.RunRecord] {
        do throws(SystemError) {
            guard Files.exists(execs) else { return [] }
            var result: [KeeperV1.RunRecord] = []
            for name in try Files.names(in: execs) where name.hasSuffix(".pb") {
                do throws(StepFailure) {
                    if let record: KeeperV1.RunRecord = try load("execs/" + name) { result.append(record) }
                } catch {
                    // One exec's record must not keep the container from being adopted.
                    KeeperLog.line("unreadable record execs/\(name): set aside")
                    try? Files.rename(execs + "/" + name, to: execs + "/" + name + ".damaged")
                }
            }
            return result.sorted { $0.startedAtUnixNanos < $1.startedAtUnixNanos }
        } catch {
            throw StepFailure(error, step: "record")
        }
    }

    /// Writes `run.pb`, or the exec's own file.
    func save(_ record: KeeperV1.RunRecord) throws(SystemError) {
        // A keeper reads it at its start alone.
        guard !record.execId.isEmpty else {
            return try Files.replaceInTurn(directory + "/run.pb", with: record.serialized())
        }
        try Files.makeDirectories(execs, mode: 0o700)
        try replace("execs/\(record.execId).pb", record.serialized())
    }

    func save(_ record: KeeperV1.KeeperRecord) throws(SystemError) {
        try replace("keeper.pb", record.serialized())
    }

    func removeExec(_ id: String) { try? Files.unlink("\(execs)/\(id).pb") }

    /// Exec ids become file names.
    static func isValid(execID id: String) -> Bool {
        (1...128).contains(id.utf8.count)
            && id.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x61...0x7a).contains($0) || (0x41...0x5a).contains($0)
                    || $0 == 0x2d || $0 == 0x5f
            }
    }

    private func replace(_ name: String, _ bytes: [UInt8]) throws(SystemError) {
        try Files.replaceForThisBoot(directory + "/" + name, with: bytes)
    }

    private func load<Record: Message>(_ name: String) throws(StepFailure) -> Record? {
        let path = directory + "/" + name
        guard Files.exists(path) else { return nil }
        let bytes: [UInt8]
        do throws(SystemError) { bytes = try Files.contents(of: path) } catch {
            throw StepFailure(error, step: "record")
        }
        do throws(MessageError) {
            return try Record(serialized: bytes)
        } catch {
            throw StepFailure(step: "record", path: path, code: KeeperError.invalid)
        }
    }
}
