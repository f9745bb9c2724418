// SPDX-License-Identifier: Apache-2.0

/// Where a server is.
package enum ServerAddress: Hashable, Sendable, CustomStringConvertible {
    /// A path, which may be longer than a socket address has room for.
    case unixSocket(String)
    /// A name or an address, IPv6 without brackets.
    case tcp(host: String, port: Int)

    package var description: String {
        switch self {
        case .unixSocket(let path): path
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
    }
}
