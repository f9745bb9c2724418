// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// TCP sockets.
package enum InternetSocket {
    /// A socket that listens on an address of this machine.
    /// - Parameters:
    ///   - address: Of version 4 or 6, without brackets; no name.
    ///   - port: 0: one that is free (see `port`).
    /// - Throws: `EINVAL` for what is no address, `EADDRINUSE`, `EADDRNOTAVAIL`.
    package static func listen(
        on address: String,
        port: UInt16,
        backlog: Int32 = 4096
    ) throws(SystemError) -> Descriptor {
        let what = "\(address) port \(port)"
        var four = sockaddr_in()
        four.sin_family = sa_family_t(AF_INET)
        four.sin_port = port.bigEndian
        if inet_pton(AF_INET, address, &four.sin_addr) == 1 {
            return try listen(AF_INET, backlog, what) { socket in
                withUnsafePointer(to: &four) { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        Glibc.bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                    }
                }
            }
        }
        var six = sockaddr_in6()
        six.sin6_family = sa_family_t(AF_INET6)
        six.sin6_port = port.bigEndian
        guard inet_pton(AF_INET6, address, &six.sin6_addr) == 1 else {
            throw SystemError("listen", path: what, code: EINVAL)
        }
        return try listen(AF_INET6, backlog, what) { socket in
            withUnsafePointer(to: &six) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                }
            }
        }
    }

    private static func listen(
        _ family: Int32,
        _ backlog: Int32,
        _ what: String,
        bind: (Int32) -> Int32
    ) throws(SystemError) -> Descriptor {
        let raw = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard raw >= 0 else { throw SystemError("socket", code: errno) }
        let socket = Descriptor(adopting: raw)
        var on: Int32 = 1
        // A port whose last connections still linger can be had at once.
        setsockopt(raw, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        guard bind(raw) == 0 else { throw SystemError("bind", path: what, code: errno) }
        guard Glibc.listen(raw, backlog) == 0 else { throw SystemError("listen", path: what, code: errno) }
        return socket
    }

    /// Small messages do not wait for others that could travel with them. (It means nothing to other kinds of sockets.)
    package static func sendAtOnce(_ socket: Int32) {
        var on: Int32 = 1
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    /// What has become of a socket since the last time: 0, or why it failed.
    package static func takeError(of socket: Int32) -> Int32 {
        var code: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(socket, SOL_SOCKET, SO_ERROR, &code, &size) == 0 ? code : errno
    }

    /// The address of the other end, without its port; nil where it has none.
    package static func peerAddress(of socket: Int32) -> String? {
        var address = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer -> Int32 in
                guard getpeername(socket, pointer, &size) == 0 else { return -1 }
                return getnameinfo(pointer, size, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
            }
        }
        guard result == 0, address.ss_family != sa_family_t(AF_UNIX) else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The port that a socket has.
    package static func port(of descriptor: Int32) throws(SystemError) -> UInt16 {
        var address = sockaddr_in6()
        var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
        }
        guard result == 0 else { throw SystemError("getsockname", code: errno) }
        // It is at the same place in addresses of both versions.
        return UInt16(bigEndian: address.sin6_port)
    }
}
