// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// Sockets that have a path. A path may be longer than a socket address has room for: the call then goes
/// through a descriptor of its directory.
package enum UnixSocket {
    /// What the socket carries.
    package enum Kind: Sendable {
        case stream, datagram, sequencedPacket

        fileprivate var number: Int32 {
            switch self {
            case .stream: Int32(SOCK_STREAM.rawValue)
            case .datagram: Int32(SOCK_DGRAM.rawValue)
            case .sequencedPacket: Int32(SOCK_SEQPACKET.rawValue)
            }
        }
    }

    /// An unbound, unconnected socket.
    package static func make(_ kind: Kind, nonBlocking: Bool = false) throws(SystemError) -> Descriptor {
        let flags = Int32(SOCK_CLOEXEC.rawValue) | (nonBlocking ? Int32(SOCK_NONBLOCK.rawValue) : 0)
        let raw = socket(AF_UNIX, kind.number | flags, 0)
        guard raw >= 0 else { throw SystemError("socket", code: errno) }
        return Descriptor(adopting: raw)
    }

    /// A socket that listens at `path`. What was there is replaced in one step, when the new one already
    /// accepts.
    ///
    /// Only one process may do this for a path at a time (daemons hold their lock).
    package static func listen(
        _ kind: Kind,
        at path: String,
        mode: UInt32 = 0o600,
        group: UInt32? = nil,
        backlog: Int32 = 4096,
        nonBlocking: Bool = false
    ) throws(SystemError) -> Descriptor {
        let socket = try make(kind, nonBlocking: nonBlocking)
        let aside = path + ".new"
        _ = Glibc.unlink(aside)
        // Group and mode are set before anybody can connect: bound to another name, not yet listening.
        try withAddress(of: aside, operation: "bind") { Glibc.bind(socket.raw, $0, $1) }
        if let group, chown(aside, .max, group) != 0 {
            throw SystemError("chown", path: aside, code: errno)
        }
        guard chmod(aside, mode) == 0 else { throw SystemError("chmod", path: aside, code: errno) }
        if kind != .datagram {
            guard Glibc.listen(socket.raw, backlog) == 0 else {
                throw SystemError("listen", path: path, code: errno)
            }
        }
        try Files.rename(aside, to: path)
        return socket
    }

    /// A socket connected to `path`; `@name` is an abstract address. Blocks while the other's backlog is
    /// full, unless `nonBlocking`.
    /// - Throws: `ENOENT` when nothing is there, `ECONNREFUSED` when nobody listens.
    package static func connect(
        _ kind: Kind,
        to path: String,
        nonBlocking: Bool = false
    ) throws(SystemError) -> Descriptor {
        let socket = try make(kind, nonBlocking: nonBlocking)
        try withAddress(of: path, operation: "connect") { Glibc.connect(socket.raw, $0, $1) }
        return socket
    }

    /// Calls `body` with the address of `path`; an error number comes from its non-zero result.
    private static func withAddress(
        of path: String,
        operation: String,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws(SystemError) {
        let capacity = 107
        if path.utf8.count <= capacity { return try call(path, path, operation, body) }
        let directory = try Files.open(Files.parentPath(of: path), [.path, .directory])
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        let short = "/proc/self/fd/\(directory.raw)/\(name)"
        guard short.utf8.count <= capacity else {
            throw SystemError(operation, path: path, code: ENAMETOOLONG)
        }
        try call(short, path, operation, body)
    }

    private static func call(
        _ address: String,
        _ path: String,
        _ operation: String,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws(SystemError) {
        var storage = sockaddr_un()
        storage.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(address.utf8)
        let isAbstract = bytes.first == 0x40
        if isAbstract { bytes[0] = 0 }
        withUnsafeMutableBytes(of: &storage.sun_path) { $0.copyBytes(from: bytes) }
        let length = MemoryLayout<sa_family_t>.size + bytes.count + (isAbstract ? 0 : 1)
        let code = withUnsafePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address -> Int32 in
                while true {
                    if body(address, socklen_t(length)) == 0 { return 0 }
                    let code = errno
                    if code != EINTR { return code }
                }
            }
        }
        guard code == 0 else { throw SystemError(operation, path: path, code: code) }
    }
}
