// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// Tells that something changed in a directory, without saying what (inotify(7)). Pollable.
package struct DirectoryWatch: ~Copyable, Sendable {
    private let descriptor: Descriptor

    /// Watches for writes to files in `path`, and for files made, moved or deleted there.
    /// - Throws: `ENOENT` without the directory; `EMFILE` or `ENOSPC` when the user has too many watches.
    package init(of path: String) throws(SystemError) {
        let raw = petrel_inotify(O_NONBLOCK | O_CLOEXEC)
        guard raw >= 0 else { throw SystemError("inotify_init1", code: errno) }
        let queue = Descriptor(adopting: raw)
        // IN_MODIFY, IN_MOVED_FROM, IN_MOVED_TO, IN_CREATE, IN_DELETE, IN_DELETE_SELF
        let mask = UInt32(0x02 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400)
        guard petrel_inotify_watch(raw, path, mask) >= 0 else {
            throw SystemError("inotify_add_watch", path: path, code: errno)
        }
        descriptor = queue
    }

    /// Readable when something has changed since the last `drain`.
    package var raw: Int32 { descriptor.raw }

    /// Forgets what has changed so far. Call it before looking at the directory, never after.
    package func drain() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while Glibc.read(raw, &buffer, buffer.count) > 0 {}
    }

    /// Blocks until something has changed or `deadlineNanos` of boot time has come.
    /// - Returns: false when the time was up.
    package func wait(deadlineNanos: Int64?) throws(SystemError) -> Bool {
        while true {
            var entries = [Poll.Entry(raw)]
            try Poll.wait(&entries, deadlineNanos: deadlineNanos)
            if !entries[0].found.isEmpty { return true }
            if let deadlineNanos, Clock.bootNanos >= deadlineNanos { return false }
        }
    }
}
