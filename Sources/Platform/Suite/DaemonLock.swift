// SPDX-License-Identifier: Apache-2.0
internal import System

/// The right to be the one process of a daemon for a root: held until this value is gone, at the latest until
/// the process ends, whatever ends it.
package struct DaemonLock: ~Copyable, Sendable {
    private let file: Descriptor

    /// Takes `ROOT/locks/<daemon>.lock` and writes this process's number into it.
    ///
    /// Waits a moment for a predecessor that was killed just now and whose descriptors the kernel is still
    /// closing.
    /// - Throws: `.alreadyRunning` when somebody else keeps it.
    package init(
        daemon: String,
        at location: SuiteLocation,
        patienceMilliseconds: Int32 = 2_000
    ) throws(SuiteError) {
        let file = try Self.open("\(location.root)/locks/\(daemon).lock")
        let deadline = Clock.bootNanos + Int64(patienceMilliseconds) * 1_000_000
        while try !Self.attempt(file.raw) {
            guard Clock.bootNanos < deadline else {
                let text = (try? Files.contents(of: file.raw, limit: 32)) ?? []
                let pid = Int32(String(decoding: text, as: UTF8.self))
                throw .alreadyRunning(daemon: daemon, root: location.root, pid: pid)
            }
            var nothing: [Poll.Entry] = []
            try? Poll.wait(&nothing, deadlineNanos: Clock.bootNanos + 10_000_000)
        }
        // For people only: the lock is what counts, so a full disk is no reason to stop here.
        try? Files.truncate(file.raw, toBytes: 0)
        try? Files.writeAll(file.raw, Array(String(SystemEnvironment.processID).utf8))
        self.file = file
    }

    private static func open(_ path: String) throws(SuiteError) -> Descriptor {
        do throws(SystemError) {
            return try Files.open(path, [.readWrite, .create], mode: 0o600)
        } catch {
            throw .system(error)
        }
    }

    private static func attempt(_ file: Int32) throws(SuiteError) -> Bool {
        do throws(SystemError) { return try FileLocks.tryLock(file) } catch { throw .system(error) }
    }
}
