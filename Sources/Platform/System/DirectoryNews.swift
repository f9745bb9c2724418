// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// Tells in which directories something has changed, without saying what (inotify(7)). Pollable.
///
/// A user may have 128 of them, and closing one that has watched something may take the kernel 15 ms.
package struct DirectoryNews: ~Copyable, Sendable {
    /// A watched directory; one that is watched twice has one number.
    package typealias Watch = Int32

    /// What was found at once.
    package struct Found: Sendable {
        package var changed: Set<Watch> = []
        /// There was too much: anything may have changed.
        package var isIncomplete = false
    }

    /// Bytes of one report before its name: watch (4), what happened (4), which move (4), length of the name (4); of this
    /// machine's order.
    private static let headBytes = 16
    private static let readsAtOnce = 4
    /// IN_Q_OVERFLOW
    private static let overflow = UInt32(0x4000)
    /// IN_MODIFY, IN_MOVED_FROM, IN_MOVED_TO, IN_CREATE, IN_DELETE, IN_DELETE_SELF
    private static let changes = UInt32(0x02 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400)

    private let descriptor: Descriptor

    /// - Throws: `EMFILE` when the user has too many.
    package init() throws(SystemError) {
        let raw = petrel_inotify(O_NONBLOCK | O_CLOEXEC)
        guard raw >= 0 else { throw SystemError("inotify_init1", code: errno) }
        descriptor = Descriptor(adopting: raw)
    }

    /// Readable when something has changed that was not taken.
    package var raw: Int32 { descriptor.raw }

    /// Watches for writes to files in `path`, and for files made, moved or deleted there, until `unwatch` or its end.
    /// - Throws: `ENOENT` without the directory; `ENOSPC` when the user watches too many.
    package func watch(_ path: String) throws(SystemError) -> Watch {
        let watch = petrel_inotify_watch(raw, path, Self.changes)
        guard watch >= 0 else { throw SystemError("inotify_add_watch", path: path, code: errno) }
        return watch
    }

    /// Harmless when the directory is no more.
    package func unwatch(_ watch: Watch) { _ = petrel_inotify_unwatch(raw, watch) }

    /// What has changed since the last time, or some of it: `raw` stays readable then. Never blocks.
    package func take() -> Found {
        var found = Found()
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { buffer in
            for _ in 0..<Self.readsAtOnce {
                let count = Glibc.read(raw, buffer.baseAddress, buffer.count)
                guard count > 0 else { return }
                Self.note(UnsafeRawBufferPointer(rebasing: buffer.prefix(count)), in: &found)
            }
        }
        return found
    }

    private static func note(_ reports: UnsafeRawBufferPointer, in found: inout Found) {
        var start = 0
        while start + headBytes <= reports.count {
            let mask = reports.loadUnaligned(fromByteOffset: start + 4, as: UInt32.self)
            if mask & overflow != 0 { found.isIncomplete = true }
            found.changed.insert(reports.loadUnaligned(fromByteOffset: start, as: Int32.self))
            start += headBytes + Int(reports.loadUnaligned(fromByteOffset: start + 12, as: UInt32.self))
        }
    }
}
