// SPDX-License-Identifier: Apache-2.0
package import Messages
internal import System

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

    package var path: String { "\(parent)/\(id.text)" }
    /// Where a directory lies while its tree is deleted.
    package var asidePath: String { "\(parent)/\(Self.removingPrefix)\(id.text)" }
    package var outputPath: String { path + "/spool" }
    package var keeperSocket: String { runPath + "/keeper.sock" }
    package var streamSocket: String { runPath + "/stream.sock" }
    var requestFile: String { path + "/request.pb" }
    var configurationFile: String { path + "/config.json" }
    var containerFile: String { path + "/container.pb" }
    var lifecycleFile: String { path + "/lifecycle.pb" }
    var eventsFile: String { path + "/events" }
    /// Locked by the keeper for as long as it lives.
    var keeperLockFile: String { path + "/keeper.lock" }

    // MARK: - Reading

    package func request() throws(SupervisorError) -> ContainerRequest {
        let bytes = try Self.bytes(of: requestFile)
        guard let record = try? SupervisorV1.RequestRecord(serialized: bytes),
            let request = ContainerRequest(record)
        else { throw .damagedState(path: requestFile, detail: "not understood") }
        return request
    }

    package func lifecycleRecord(in path: String? = nil) throws(SupervisorError)
        -> SupervisorV1.LifecycleRecord
    {
        let file = path.map { $0 + "/lifecycle.pb" } ?? lifecycleFile
        let bytes = try Self.bytes(of: file)
        guard let record = try? SupervisorV1.LifecycleRecord(serialized: bytes) else {
            throw .damagedState(path: file, detail: "not understood")
        }
        return record
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

    func write(_ bytes: [UInt8], to file: String) throws(SystemError) {
        try Files.replace(file, with: bytes, mode: 0o600)
    }

    func makeDirectories() throws(SystemError) {
        try Files.makeDirectories(path, mode: 0o700)
        try Files.makeDirectories(runPath, mode: 0o700)
        let above = try Files.open(parent, [.readOnly, .directory])
        try Files.sync(above.raw)
    }

    /// Moves the directory out of the way in one step; what is aside is as good as deleted.
    func setAside() throws(SystemError) {
        try Files.rename(path, to: asidePath)
        let above = try Files.open(parent, [.readOnly, .directory])
        try Files.sync(above.raw)
    }

    private static func bytes(of file: String) throws(SupervisorError) -> [UInt8] {
        do throws(SystemError) { return try Files.contents(of: file, limit: 64 << 20) } catch {
            throw .system(error)
        }
    }
}
