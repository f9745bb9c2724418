// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// Where a TCP server may be: an address of version 4 or 6, and a port.
package struct InternetAddress: Hashable, Sendable, CustomStringConvertible {
    /// Why a name leads nowhere, in the resolver's words.
    package struct ResolutionError: Error, CustomStringConvertible {
        package let description: String
    }

    /// Without its port: `127.0.0.1`, `::1`.
    package let description: String
    private let family: Int32
    /// A `sockaddr_in` or `sockaddr_in6`, as the kernel has it.
    private let bytes: [UInt8]

    /// All addresses of a name, or the one that is given, the best first. Blocks as long as the resolver takes, for a name.
    /// - Source: getaddrinfo(3); RFC 6724 for the order.
    package static func resolve(
        _ host: String,
        port: UInt16
    ) throws(ResolutionError) -> [InternetAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, "\(port)", &hints, &list)
        guard code == 0 else { throw ResolutionError(description: String(cString: gai_strerror(code))) }
        defer { freeaddrinfo(list) }
        var addresses: [InternetAddress] = []
        var next = list
        while let entry = next?.pointee {
            if let address = InternetAddress(entry), !addresses.contains(address) {
                addresses.append(address)
            }
            next = entry.ai_next
        }
        return addresses
    }

    private init?(_ entry: addrinfo) {
        guard let pointer = entry.ai_addr, entry.ai_family == AF_INET || entry.ai_family == AF_INET6
        else { return nil }
        family = entry.ai_family
        bytes = Array(UnsafeRawBufferPointer(start: pointer, count: Int(entry.ai_addrlen)))
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        guard
            getnameinfo(pointer, entry.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0
        else { return nil }
        description = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// A socket that does not block, on its way to the address: it becomes writable when it is there, or cannot be
    /// (`InternetSocket.takeError`).
    /// - Throws: What fails at once: `ENETUNREACH`, `ECONNREFUSED`.
    package func connect() throws(SystemError) -> Descriptor {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let raw = socket(family, type, 0)
        guard raw >= 0 else { throw SystemError("socket", code: errno) }
        let socket = Descriptor(adopting: raw)
        InternetSocket.sendAtOnce(raw)
        let code = bytes.withUnsafeBytes { bytes in
            let address = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self)
            return Glibc.connect(raw, address, socklen_t(bytes.count)) == 0 ? 0 : errno
        }
        // Interrupted, it goes on all the same.
        guard code == 0 || code == EINPROGRESS || code == EINTR else {
            throw SystemError("connect", path: description, code: code)
        }
        return socket
    }
}
