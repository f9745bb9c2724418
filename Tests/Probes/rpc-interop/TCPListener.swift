// SPDX-License-Identifier: Apache-2.0
import Glibc
import System

/// A TCP socket that listens on the loopback interface: for tools that cannot use a Unix socket. Nothing else in this
/// package serves TCP.
enum TCPListener {
    /// Listens on 127.0.0.1.
    static func open(port: UInt16) throws(SystemError) -> Descriptor {
        let raw = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard raw >= 0 else { throw SystemError("socket", code: errno) }
        let listener = Descriptor(adopting: raw)
        var reuse: Int32 = 1
        setsockopt(raw, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(raw, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard bound == 0 else { throw SystemError("bind", path: "127.0.0.1:\(port)", code: errno) }
        guard listen(raw, 128) == 0 else { throw SystemError("listen", code: errno) }
        return listener
    }
}
