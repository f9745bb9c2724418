// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// Sockets that listen and are connected, wherever they are: accepting, reading, writing.
package enum StreamSocket {
    /// Whether a socket listens.
    /// - Throws: `ENOTSOCK` when it is none.
    /// - Source: socket(7), `SO_ACCEPTCONN`.
    package static func isListening(_ socket: Int32) throws(SystemError) -> Bool {
        var answer: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &answer, &size) == 0 else {
            throw SystemError("getsockopt(SO_ACCEPTCONN)", code: errno)
        }
        return answer != 0
    }

    /// accept4(2): the next connection, close-on-exec. Also of sequenced packets.
    package static func accept(
        _ listener: Int32,
        nonBlocking: Bool = false
    ) throws(SystemError) -> Descriptor {
        let flags = Int32(SOCK_CLOEXEC.rawValue) | (nonBlocking ? Int32(SOCK_NONBLOCK.rawValue) : 0)
        while true {
            let raw = petrel_accept(listener, flags)
            if raw >= 0 { return Descriptor(adopting: raw) }
            let code = errno
            guard code == EINTR || code == ECONNABORTED else { throw SystemError("accept4", code: code) }
        }
    }

    /// Takes what has arrived, as much as there is room for. Never waits.
    /// - Returns: Bytes taken, 0 at the end of the peer's bytes; nil when nothing has arrived.
    /// - Throws: `ECONNRESET` when the peer is gone and has left something unread.
    /// - Source: recv(2).
    package static func receiveSome(
        _ socket: Int32,
        into room: UnsafeMutableRawBufferPointer
    ) throws(SystemError) -> Int? {
        while true {
            let count = recv(socket, room.baseAddress, room.count, Int32(MSG_DONTWAIT))
            if count >= 0 { return count }
            let code = errno
            if code == EAGAIN { return nil }
            guard code == EINTR else { throw SystemError("recv", code: code) }
        }
    }

    /// Hands as much of `bytes` to the kernel as it takes at once. Never waits, never raises SIGPIPE.
    /// - Returns: Bytes taken; 0 when the socket is full.
    /// - Throws: `EPIPE` or `ECONNRESET` when the peer is gone.
    /// - Source: send(2).
    package static func sendSome(_ socket: Int32, _ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Int
    {
        while true {
            let count = send(socket, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
            if count >= 0 { return count }
            let code = errno
            if code == EAGAIN { return 0 }
            guard code == EINTR else { throw SystemError("send", code: code) }
        }
    }

    /// Hands as much of `parts`, in order, to the kernel as it takes at once. Never waits, never raises SIGPIPE.
    /// - Parameter parts: At most 1024; none may be empty.
    /// - Returns: Bytes taken; 0 when the socket is full.
    /// - Throws: `EPIPE` or `ECONNRESET` when the peer is gone.
    /// - Source: sendmsg(2).
    package static func sendSome(
        _ socket: Int32,
        _ parts: [UnsafeRawBufferPointer]
    ) throws(SystemError) -> Int {
        let (count, code) = withUnsafeTemporaryAllocation(of: iovec.self, capacity: parts.count) { vectors in
            for (index, part) in parts.enumerated() {
                let base = UnsafeMutableRawPointer(mutating: part.baseAddress)
                vectors.initializeElement(at: index, to: iovec(iov_base: base, iov_len: part.count))
            }
            var message = msghdr()
            message.msg_iov = vectors.baseAddress
            message.msg_iovlen = parts.count
            while true {
                let count = sendmsg(socket, &message, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
                let code = count < 0 ? errno : 0
                if code != EINTR { return (count, code) }
            }
        }
        guard code != EAGAIN else { return 0 }
        guard code == 0 else { throw SystemError("sendmsg", code: code) }
        return count
    }
}
