// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// Pairs of sockets, and what can be asked of or set on any Unix-domain socket.
extension UnixSocket {
    /// Two connected sockets.
    package struct Pair: ~Copyable, Sendable {
        package let first: Descriptor
        package let second: Descriptor
    }

    /// As `pair`, with ends that can be held side by side.
    package static func sharedPair(
        _ kind: Kind
    ) throws(SystemError) -> (first: SharedDescriptor, second: SharedDescriptor) {
        let sockets = try pair(kind)
        return (SharedDescriptor(sockets.first), SharedDescriptor(sockets.second))
    }

    /// socketpair(2), close-on-exec; both ends block.
    package static func pair(_ kind: Kind) throws(SystemError) -> Pair {
        var raw: (Int32, Int32) = (-1, -1)
        let type =
            switch kind {
            case .stream: Int32(SOCK_STREAM.rawValue)
            case .datagram: Int32(SOCK_DGRAM.rawValue)
            case .sequencedPacket: Int32(SOCK_SEQPACKET.rawValue)
            }
        let result = withUnsafeMutablePointer(to: &raw) {
            $0.withMemoryRebound(to: Int32.self, capacity: 2) {
                Glibc.socketpair(AF_UNIX, type | Int32(SOCK_CLOEXEC.rawValue), 0, $0)
            }
        }
        guard result == 0 else { throw SystemError("socketpair", code: errno) }
        return Pair(first: Descriptor(adopting: raw.0), second: Descriptor(adopting: raw.1))
    }

    /// Room for data on its way, in bytes; beyond the system's limit where we may.
    package static func setSendBuffer(_ socket: Int32, bytes: Int32) {
        var size = bytes
        let length = socklen_t(MemoryLayout<Int32>.size)
        // SO_SNDBUFFORCE needs CAP_NET_ADMIN; without it the system's limit has to do.
        if setsockopt(socket, SOL_SOCKET, SO_SNDBUFFORCE, &size, length) != 0 {
            _ = setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &size, length)
        }
    }

    /// Ends this side's sending: the peer reads what is on its way, then the end.
    package static func shutDownSending(_ socket: Int32) {
        _ = Glibc.shutdown(socket, Int32(SHUT_WR))
    }

    /// Ends the connection in both directions, for every descriptor of it.
    package static func shutDown(_ socket: Int32) { _ = Glibc.shutdown(socket, Int32(SHUT_RDWR)) }

    /// How long a sending call may wait for room; then it throws `EAGAIN`.
    package static func setSendTimeout(_ socket: Int32, milliseconds: Int) throws(SystemError) {
        var limit = timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
        let length = socklen_t(MemoryLayout<timeval>.size)
        guard setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, length) == 0 else {
            throw SystemError("setsockopt(SO_SNDTIMEO)", code: errno)
        }
    }
}
