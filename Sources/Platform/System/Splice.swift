// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// Moving bytes between descriptors inside the kernel, where a SIGKILL can neither lose nor repeat any.
package enum Splice {
    /// splice(2), never waiting for `source`: moves at most `count` bytes and returns how many; 0 at the end of `source`.
    /// - Parameter offset: Where in a destination file; nil: at its own position, or for pipes and sockets.
    /// - Throws: `EAGAIN` when there is nothing to move or no room for it; `EIO` from a terminal whose other side is
    ///   closed; `ENOSPC`; `EPIPE` (the caller ignores SIGPIPE).
    package static func move(
        from source: Int32,
        to destination: Int32,
        offset: Int64? = nil,
        count: Int
    ) throws(SystemError) -> Int {
        let flags = UInt32(0x01 | 0x02)  // SPLICE_F_MOVE | SPLICE_F_NONBLOCK
        while true {
            let moved: Int
            if var position = offset {
                moved = petrel_splice(source, destination, &position, UInt(count), flags)
            } else {
                moved = petrel_splice(source, destination, nil, UInt(count), flags)
            }
            if moved >= 0 { return moved }
            let code = errno
            guard code == EINTR else { throw SystemError("splice", code: code) }
        }
    }

    /// `FIONREAD`: bytes that can be read from a pipe, socket or terminal at once.
    package static func available(in descriptor: Int32) throws(SystemError) -> Int {
        var count: Int32 = 0
        guard petrel_ioctl(descriptor, 0x541b, &count) == 0 else {
            throw SystemError("ioctl(FIONREAD)", code: errno)
        }
        return Int(count)
    }
}
