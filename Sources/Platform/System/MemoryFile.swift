// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// A file in memory (memfd_create(2)). Whoever is sent its descriptor shares its offset too, which the kernel moves
/// together with the bytes: a SIGKILL does not come between them.
package enum MemoryFile {
    /// An empty one, close-on-exec; `name` is for /proc only.
    package static func create(_ name: String) throws(SystemError) -> Descriptor {
        let raw = petrel_memory_file(name)
        guard raw >= 0 else { throw SystemError("memfd_create", path: name, code: errno) }
        return Descriptor(adopting: raw)
    }

    /// Its offset, in bytes.
    package static func offset(of file: Int32) throws(SystemError) -> Int64 {
        let offset = Glibc.lseek(file, 0, SEEK_CUR)
        guard offset >= 0 else { throw SystemError("lseek", code: errno) }
        return Int64(offset)
    }

    /// sendfile(2) from its offset, which moves on by what it returns.
    /// - Parameter destination: A pipe or terminal, non-blocking.
    /// - Throws: `EAGAIN` when there is no room; `EPIPE` (the caller ignores SIGPIPE).
    package static func send(_ file: Int32, to destination: Int32, count: Int) throws(SystemError) -> Int {
        while true {
            let moved = petrel_sendfile(destination, file, UInt(count))
            if moved >= 0 { return moved }
            let code = errno
            guard code == EINTR else { throw SystemError("sendfile", code: code) }
        }
    }

    /// Gives the memory of so many bytes back; whole pages only. Size and offset stay.
    package static func free(_ file: Int32, from start: Int64, upTo end: Int64) throws(SystemError) {
        guard end > start else { return }
        guard petrel_punch_hole(file, start, end - start) == 0 else {
            throw SystemError("fallocate", code: errno)
        }
    }
}
