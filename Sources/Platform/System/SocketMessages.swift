// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// sendmsg(2) and recvmsg(2) on Unix sockets: one message and the descriptors that travel beside it.
package enum SocketMessages {
    /// Most descriptors in one message (the kernel's SCM_MAX_FD).
    package static let descriptorLimit = 253

    /// What arrived. Empty bytes mean the end of the connection (or an empty datagram).
    package struct Received: Sendable {
        package let bytes: [UInt8]
        /// Close-on-exec, in the order in which they were sent.
        package let descriptors: [SharedDescriptor]
        /// The message was longer than the room for it; the rest is lost.
        package let isTruncated: Bool
        /// The sender, where the socket asks for it (`passCredentials`).
        package let credentials: Credentials?
    }

    /// Who sent a message, as the kernel knows it.
    package struct Credentials: Hashable, Sendable {
        package let pid: Int32
        package let uid: UInt32
        package let gid: UInt32
    }

    /// Sends `bytes` as one message, with copies of `descriptors`. Never raises SIGPIPE.
    /// - Throws: `EAGAIN` when a non-blocking socket is full, `EPIPE` or `ECONNREFUSED` when the peer is
    ///   gone,
    ///   `EMSGSIZE` when the message does not fit.
    package static func send(
        _ socket: Int32,
        _ bytes: [UInt8],
        descriptors: [Int32] = []
    ) throws(SystemError) {
        guard descriptors.count <= descriptorLimit else { throw SystemError("sendmsg", code: EINVAL) }
        // cmsghdr: size_t length, int level, int type; then the numbers, padded to 8 bytes.
        let headerSize = 16
        var control: [UInt8] = []
        if !descriptors.isEmpty {
            let length = headerSize + descriptors.count * 4
            control.appendInteger(UInt64(length))
            control.appendInteger(UInt32(bitPattern: SOL_SOCKET))
            control.appendInteger(UInt32(1))  // SCM_RIGHTS
            for descriptor in descriptors { control.appendInteger(UInt32(bitPattern: descriptor)) }
            while control.count % 8 != 0 { control.append(0) }
        }
        var code: Int32 = 0
        var bytes = bytes
        repeat {
            code = bytes.withUnsafeMutableBytes { data in
                control.withUnsafeMutableBytes { control in
                    var part = iovec(iov_base: data.baseAddress, iov_len: data.count)
                    return withUnsafeMutablePointer(to: &part) { part in
                        var message = msghdr()
                        message.msg_iov = part
                        message.msg_iovlen = 1
                        if control.count > 0 {
                            message.msg_control = control.baseAddress
                            message.msg_controllen = control.count
                        }
                        return sendmsg(socket, &message, Int32(MSG_NOSIGNAL)) >= 0 ? 0 : errno
                    }
                }
            }
        } while code == EINTR
        guard code == 0 else { throw SystemError("sendmsg", code: code) }
    }

    /// Receives one message of at most `limit` bytes.
    /// - Throws: `EAGAIN` when a non-blocking socket has none.
    package static func receive(_ socket: Int32, limit: Int) throws(SystemError) -> Received {
        var control = [UInt8](repeating: 0, count: 16 + descriptorLimit * 4 + 4 + 32)
        var controlCount = 0
        var flags: Int32 = 0
        var code: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { data, count in
            control.withUnsafeMutableBytes { control in
                var part = iovec(iov_base: data.baseAddress, iov_len: limit)
                withUnsafeMutablePointer(to: &part) { part in
                    repeat {
                        var message = msghdr()
                        message.msg_iov = part
                        message.msg_iovlen = 1
                        message.msg_control = control.baseAddress
                        message.msg_controllen = control.count
                        let result = recvmsg(socket, &message, Int32(MSG_CMSG_CLOEXEC))
                        code = result >= 0 ? 0 : errno
                        count = max(result, 0)
                        controlCount = message.msg_controllen
                        flags = message.msg_flags
                    } while code == EINTR
                }
            }
        }
        guard code == 0 else { throw SystemError("recvmsg", code: code) }
        let (descriptors, credentials) = companions(in: control, count: controlCount)
        let lost = Int32(MSG_TRUNC) | Int32(MSG_CTRUNC)
        return Received(
            bytes: bytes,
            descriptors: descriptors,
            isTruncated: flags & lost != 0,
            credentials: credentials
        )
    }

    /// What travelled beside a message: the first `count` bytes of `control`. Owns every descriptor in there.
    private static func companions(
        in control: [UInt8],
        count: Int
    ) -> (descriptors: [SharedDescriptor], credentials: Credentials?) {
        var descriptors: [SharedDescriptor] = []
        var credentials: Credentials?
        var position = 0
        while position + 16 <= count {
            let length = Int(control.integer(at: position, as: UInt64.self))
            let level = Int32(bitPattern: control.integer(at: position + 8, as: UInt32.self))
            let type = control.integer(at: position + 12, as: UInt32.self)
            guard length >= 16, position + length <= count else { break }
            if level == SOL_SOCKET, type == 1 {
                for offset in stride(from: position + 16, to: position + length, by: 4) {
                    let raw = Int32(bitPattern: control.integer(at: offset, as: UInt32.self))
                    descriptors.append(SharedDescriptor(Descriptor(adopting: raw)))
                }
            } else if level == SOL_SOCKET, type == 2, length >= 28 {
                credentials = Credentials(
                    pid: Int32(bitPattern: control.integer(at: position + 16, as: UInt32.self)),
                    uid: control.integer(at: position + 20, as: UInt32.self),
                    gid: control.integer(at: position + 24, as: UInt32.self)
                )
            }
            position += (length + 7) & ~7
        }
        return (descriptors, credentials)
    }

    /// Makes the kernel tell with each message who sent it (SO_PASSCRED).
    package static func passCredentials(_ socket: Int32) throws(SystemError) {
        var on: Int32 = 1
        guard setsockopt(socket, SOL_SOCKET, SO_PASSCRED, &on, socklen_t(MemoryLayout<Int32>.size)) == 0
        else {
            throw SystemError("setsockopt(SO_PASSCRED)", code: errno)
        }
    }

    /// Who is at the other end of a connected socket (SO_PEERCRED).
    package static func peer(of socket: Int32) throws(SystemError) -> Credentials {
        var words: (Int32, UInt32, UInt32) = (0, 0, 0)
        var length = socklen_t(12)
        guard getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &words, &length) == 0 else {
            throw SystemError("getsockopt(SO_PEERCRED)", code: errno)
        }
        return Credentials(pid: words.0, uid: words.1, gid: words.2)
    }
}

extension [UInt8] {
    /// Appends an integer in the machine's byte order (little-endian on every machine Petrel builds for).
    fileprivate mutating func appendInteger(_ value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    fileprivate func integer<T: FixedWidthInteger>(at offset: Int, as type: T.Type) -> T {
        withUnsafeBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: type)) }
    }
}
