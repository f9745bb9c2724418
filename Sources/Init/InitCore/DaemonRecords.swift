// SPDX-License-Identifier: Apache-2.0
internal import Messages
internal import System

/// `RUN/init/<daemon>.pb`: which process a daemon is, for the petrel-init that comes after this one.
struct DaemonRecords {
    struct Found {
        let identity: ProcessIdentity
        let startedAtWallNanos: Int64
        let restarts: UInt32
        let isReady: Bool
    }

    private let directory: String

    /// - Throws: when the directory cannot be made.
    init(run: String) throws(SystemError) {
        directory = run + "/init"
        try Files.makeDirectories(directory, mode: 0o700)
    }

    func write(_ name: String, _ record: Found) throws(SystemError) {
        let message = InitV1.DaemonRecord(
            bootId: record.identity.bootID,
            pid: record.identity.pid,
            startTimeTicks: record.identity.startTimeTicks,
            startedAtUnixNanos: record.startedAtWallNanos,
            restarts: record.restarts,
            ready: record.isReady
        )
        try Files.replace(path(of: name), with: message.serialized())
    }

    /// Nil where there is none, or where it cannot be read: then the daemon's lock still tells whether it runs.
    func read(_ name: String) -> Found? {
        guard let bytes = try? Files.contents(of: path(of: name), limit: 4096),
            let message = try? InitV1.DaemonRecord(serialized: bytes)
        else { return nil }
        return Found(
            identity: ProcessIdentity(
                bootID: message.bootId,
                pid: message.pid,
                startTimeTicks: message.startTimeTicks
            ),
            startedAtWallNanos: message.startedAtUnixNanos,
            restarts: message.restarts,
            isReady: message.ready
        )
    }

    func remove(_ name: String) { try? Files.unlink(path(of: name)) }

    private func path(of name: String) -> String { "\(directory)/\(name).pb" }
}
