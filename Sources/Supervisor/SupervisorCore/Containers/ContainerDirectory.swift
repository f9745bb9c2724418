// SPDX-License-Identifier: Apache-2.0
package import Messages
package import System

/// The files of one container below `ROOT/supervisor/containers`, and its place in RUN. A pure value of
/// paths; the keeper writes `keeper.pb`, `run.pb`, `execs`, `events` and `spool`, the supervisor the rest.
package struct ContainerDirectory: Hashable, Sendable {
    package let id: ContainerID
    /// `ROOT/supervisor/containers`.
    package let parent: String
    /// `RUN/containers/<id>`.
    package let runPath: String

    package init(id: ContainerID, parent: String, runParent: String) {
        self.id = id
        self.parent = parent
        self.runPath = "\(runParent)/\(id.text)"
    }

    static let removingPrefix = ".removing-"

    /// The ids of those that something is left of, also of what is being removed.
    /// - Parameter parent: `ROOT/supervisor/containers`, which may not be there yet.
    /// - Throws: a `SystemError` of reading it.
    package static func remaining(in parent: String) throws(SystemError) -> Set<String> {
        guard Files.exists(parent) else { return [] }
        return Set(
            try Files.names(in: parent).map { name in
                name.hasPrefix(removingPrefix) ? String(name.dropFirst(removingPrefix.count)) : name
            }
        )
    }

    package var path: String { "\(parent)/\(id.text)" }
    /// Where a directory lies while its tree is deleted.
    package var asidePath: String { "\(parent)/\(Self.removingPrefix)\(id.text)" }
    package var outputPath: String { path + "/spool" }
    package var keeperSocket: String { runPath + "/keeper.sock" }
    package var streamSocket: String { runPath + "/stream.sock" }
    package var requestFile: String { path + "/request.pb" }
    var configurationFile: String { path + "/config.json" }
    var containerFile: String { path + "/container.pb" }
    /// The state as the disk has it, once it has (see `syncCreation`).
    package var lifecycleFile: String { path + "/lifecycle.pb" }
    /// What came after `lifecycle.pb`, for as long as the machine runs: replaced without waiting for the disk.
    package var presentLifecycleFile: String { path + "/lifecycle.now.pb" }
    var eventsFile: String { path + "/events" }
    /// Locked by the keeper for as long as it lives.
    var keeperLockFile: String { path + "/keeper.lock" }

    // MARK: - Reading

    /// - Returns: What was asked for, and whether it has a terminal (nil: a record of an earlier release does not say).
    package func request() throws(SupervisorError) -> (request: ContainerRequest, isTerminal: Bool?) {
        let bytes = try Self.bytes(of: requestFile)
        guard let record = try? SupervisorV1.RequestRecord(serialized: bytes),
            let request = ContainerRequest(record)
        else { throw .damagedState(path: requestFile, detail: "not understood") }
        return (request, record.terminal)
    }

    /// The latest of its records.
    /// - Parameter path: Where the directory is, if it was set aside.
    /// - Returns: It, and whether the disk has it.
    package func lifecycleRecord(bootID: String, in path: String? = nil) throws(SupervisorError)
        -> (record: SupervisorV1.LifecycleRecord, isDurable: Bool)
    {
        let path = path ?? self.path
        let file = path + "/lifecycle.pb"
        let durable = try Self.lifecycle(in: file)
        // Of an earlier boot it may be anything.
        if let present = try Self.lifecycle(in: path + "/lifecycle.now.pb"), present.bootId == bootID,
            present.revision > durable?.revision ?? 0
        {
            return (present, false)
        }
        if let durable { return (durable, true) }
        guard let first = try Self.firstUnlessDamaged(in: path) else {
            throw .damagedState(path: file, detail: "not understood")
        }
        return (first, true)
    }

    /// The one that the request carries, where the other was never written: one that is damaged may tell of much more.
    private static func firstUnlessDamaged(in path: String) throws(SupervisorError)
        -> SupervisorV1.LifecycleRecord?
    {
        let isBlank: Bool
        do throws(SystemError) {
            isBlank = try Files.contents(of: path + "/lifecycle.pb", limit: 64 << 20).allSatisfy { $0 == 0 }
        } catch {
            guard error.code == ErrorNumber.notFound else { throw .system(error) }
            isBlank = true
        }
        return isBlank ? first(in: path) : nil
    }

    /// The one that the request carries; nil where there is none: no request, or one of an earlier release.
    private static func first(in path: String) -> SupervisorV1.LifecycleRecord? {
        guard let bytes = try? bytes(of: path + "/request.pb") else { return nil }
        return (try? SupervisorV1.RequestRecord(serialized: bytes))?.first
    }

    /// nil where there is no file, or not a whole record in it.
    private static func lifecycle(in file: String) throws(SupervisorError) -> SupervisorV1.LifecycleRecord? {
        let bytes: [UInt8]
        do throws(SystemError) { bytes = try Files.contents(of: file, limit: 64 << 20) } catch {
            // Only absence is absence: what cannot be read now may be the later one.
            guard error.code == ErrorNumber.notFound else { throw .system(error) }
            return nil
        }
        let record = try? SupervisorV1.LifecycleRecord(serialized: bytes)
        return record?.version == 0 ? nil : record
    }

    /// The keeper's events after `sequence`; a torn last record is left out. From 1, without gaps.
    package func events(after sequence: UInt64) -> [KeeperV1.Event] {
        guard let bytes = try? Files.contents(of: eventsFile, limit: 1 << 30) else { return [] }
        var events: [KeeperV1.Event] = []
        var offset = 0
        while offset + 4 <= bytes.count {
            let length = (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
            let start = offset + 4
            guard length > 0, start + length <= bytes.count,
                let event = try? KeeperV1.Event(serialized: Array(bytes[start..<start + length]))
            else { break }
            if event.sequence > sequence { events.append(event) }
            offset = start + length
        }
        return events
    }

    // MARK: - Writing

    /// - Parameter durably: Otherwise it outlives the supervisor, but not the machine.
    func write(_ bytes: [UInt8], to file: String, durably: Bool = true) throws(SystemError) {
        try Files.replace(file, with: bytes, mode: 0o600, durably: durably)
    }

    /// Writes `request.pb`.
    /// - Parameters:
    ///   - first: The life cycle's record that it begins with.
    ///   - durably: As above.
    package func write(
        _ request: ContainerRequest,
        isTerminal: Bool,
        first: SupervisorV1.LifecycleRecord? = nil,
        durably: Bool = true
    ) throws(SystemError) {
        var record = request.record
        record.terminal = isTerminal
        record.first = first
        try write(record.serialized(), to: requestFile, durably: durably)
    }

    /// Makes it, and the one in RUN.
    package func makeDirectories() throws(SystemError) {
        try Files.makeDirectories(path, mode: 0o700)
        try Files.makeDirectories(runPath, mode: 0o700)
    }

    /// Brings the directory's own name to disk.
    func syncParent() throws(SystemError) { try Files.syncDirectory(parent) }

    /// Brings a container that was made just now to the disk: its request, in which its life cycle's first record is, and
    /// their names. What the keeper reads follows from it, and is written anew after a boot.
    ///
    /// The whole directory may be gone meanwhile: then there is nothing to bring there. Blocks.
    func syncCreation() throws(SystemError) {
        do throws(SystemError) {
            // The file first: where the file system has one journal, its commit has the names, too.
            let file = try Files.open(requestFile, .readOnly)
            try Files.sync(file.raw)
            try Files.syncDirectory(path)
        } catch {
            guard error.code == ErrorNumber.notFound else { throw error }
            return
        }
        try syncParent()
    }

    /// Its creation was not completed, or the machine's end came before the disk had it: nobody was told of it, or nobody is
    /// to find it after a boot.
    ///
    /// A file that was renamed before its bytes were written has none after the machine's end (ext4, XFS).
    /// - Throws: when that cannot be seen now.
    package func isUnwritten(bootID: String) throws(SystemError) -> Bool {
        if try Self.isEmpty(lifecycleFile) {
            // Only a power failure leaves the request alone, and then it is enough.
            guard let first = Self.first(in: path) else { return true }
            return first.bootId == bootID
        }
        guard Files.exists(requestFile) else { return false }
        return try Self.isEmpty(requestFile)
    }

    /// Also where there is none.
    private static func isEmpty(_ file: String) throws(SystemError) -> Bool {
        do throws(SystemError) { return try Files.status(of: file).sizeBytes == 0 } catch {
            guard error.code == ErrorNumber.notFound else { throw error }
            return true
        }
    }

    /// Moves the directory out of the way in one step; what is aside is as good as deleted. One that is back after the
    /// machine's sudden end is deleted again by its owner.
    package func setAside() throws(SystemError) { try Files.rename(path, to: asidePath) }

    private static func bytes(of file: String) throws(SupervisorError) -> [UInt8] {
        do throws(SystemError) { return try Files.contents(of: file, limit: 64 << 20) } catch {
            throw .system(error)
        }
    }
}
