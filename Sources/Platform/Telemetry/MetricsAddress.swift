// SPDX-License-Identifier: Apache-2.0
internal import System

/// Where metrics are served: `127.0.0.1:9323`, `[::1]:9323`.
package struct MetricsAddress: Hashable, Sendable {
    /// What is wrong with an address, in one lower-case line.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// Of version 4 or 6, without brackets.
    package let address: String
    package let port: UInt16

    package init(_ text: String) throws(Failure) {
        let advice = "it is ADDRESS:PORT, such as 127.0.0.1:9323 or [::1]:9323"
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw Failure(description: "metrics address \"\(text)\" has no port: \(advice)")
        }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard IPAddress.isValid(host) else {
            throw Failure(description: "metrics address \"\(text)\" has no IP address: \(advice)")
        }
        self.address = host
        self.port = port
    }
}
