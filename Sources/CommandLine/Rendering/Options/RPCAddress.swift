// SPDX-License-Identifier: Apache-2.0

/// Where a server listens, as it is typed: `unix:PATH`, `HOST:PORT`, `[::1]:PORT`.
package enum RPCAddress: Hashable, Sendable {
    case unixSocket(String)
    case host(String, port: UInt16)

    /// `unix:` may be left out before a path that begins with `/`, and followed by `//`.
    /// - Throws: for what is none of these.
    package init(_ text: String) throws(Failure) {
        guard let address = Self.socket(text) ?? Self.host(text) else {
            throw Failure(
                "--address '\(text)'",
                "is no address",
                advice: "Write unix:PATH or HOST:PORT.",
                exitCode: 2
            )
        }
        self = address
    }

    private static func socket(_ text: String) -> RPCAddress? {
        if text.hasPrefix("/") { return .unixSocket(text) }
        guard text.hasPrefix("unix:") else { return nil }
        var path = text.dropFirst(5)
        if path.hasPrefix("//") { path = path.dropFirst(2) }
        return path.isEmpty ? nil : .unixSocket(String(path))
    }

    private static func host(_ text: String) -> RPCAddress? {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]),
            port > 0
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        let isName = host.unicodeScalars.allSatisfy {
            $0.properties.isAlphabetic || ".-_:%0123456789".contains(Character($0))
        }
        return host.isEmpty || !isName ? nil : .host(String(host), port: port)
    }
}

/// `NAME:VALUE` as `--metadata` has it.
package enum RPCMetadataText {
    /// The name in lower case, the value without spaces at its ends.
    /// - Throws: where there is no colon, or a value that no header can have.
    package static func pair(_ text: String) throws(Failure) -> (name: String, value: String) {
        let halves = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let name = halves[0].lowercased()
        guard halves.count == 2, !name.isEmpty else {
            throw Failure(
                "--metadata '\(text)'",
                "is no pair",
                advice: "Write NAME:VALUE.",
                exitCode: 2
            )
        }
        let value = String(halves[1]).trimmingBlanks
        guard value.utf8.allSatisfy({ 0x20...0x7e ~= $0 }) else {
            throw Failure(
                "--metadata '\(text)'",
                "a value is printable ASCII",
                advice: "Bytes go in base64 under a name that ends in -bin.",
                exitCode: 2
            )
        }
        return (name, value)
    }
}
