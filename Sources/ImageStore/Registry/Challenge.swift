// SPDX-License-Identifier: Apache-2.0

/// What a registry wants before it answers: the header `WWW-Authenticate`.
///
/// Source followed: RFC 9110 section 11; distribution's "Token Authentication Specification".
package struct Challenge: Hashable, Sendable {
    /// In lower case: `bearer`, `basic`.
    package let scheme: String
    /// Names in lower case.
    package let parameters: [String: String]

    /// The first challenge in the header that Petrel can answer; nil when there is none.
    package init?(header: String) {
        guard let space = header.firstIndex(of: " ") else {
            guard header.lowercased() == "basic" else { return nil }
            (scheme, parameters) = ("basic", [:])
            return
        }
        scheme = header[..<space].lowercased()
        guard scheme == "bearer" || scheme == "basic" else { return nil }
        var parameters: [String: String] = [:]
        var rest = header[header.index(after: space)...]
        while let equals = rest.firstIndex(of: "=") {
            let name = rest[..<equals].drop { $0 == " " || $0 == "," }.lowercased()
            rest = rest[rest.index(after: equals)...]
            var value = ""
            if rest.first == "\"" {
                rest = rest.dropFirst()
                while let character = rest.popFirst(), character != "\"" {
                    value.append(character == "\\" ? rest.popFirst() ?? "\\" : character)
                }
            } else {
                value = String(rest.prefix { $0 != "," && $0 != " " })
                rest = rest.dropFirst(value.count)
            }
            parameters[name] = value
        }
        self.parameters = parameters
    }

    /// Whether its token server may get user and password: what was to be sent encrypted is not sent in the clear because
    /// a challenge says so.
    package func mayGetCredentials(from base: String) -> Bool {
        parameters["realm"]?.hasPrefix("https://") == true || !base.hasPrefix("https://")
    }
}

/// A user's name and password for one registry.
package struct RegistryCredentials: Hashable, Sendable {
    package let user: String
    package let password: String

    package init(user: String, password: String) {
        self.user = user
        self.password = password
    }

    /// The value of the header `Authorization`.
    package var basic: String { "Basic " + Base64.encode(Array("\(user):\(password)".utf8)) }
}

/// RFC 4648 section 4.
enum Base64 {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var result: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits: UInt32 = 0
            for byte in group { bits = bits << 8 | UInt32(byte) }
            bits <<= UInt32(8 * (3 - group.count))
            for position in 0..<4 {
                let digit = digits[Int(bits >> UInt32(18 - 6 * position) & 63)]
                result.append(position <= group.count ? digit : UInt8(ascii: "="))
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Nil when `text` holds anything but digits and padding.
    static func decode(_ text: String) -> [UInt8]? {
        var result: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in text.utf8.prefix(while: { $0 != UInt8(ascii: "=") }) {
            guard let value = digits.firstIndex(of: byte) else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 6
            guard count >= 8 else { continue }
            count -= 8
            result.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
        }
        return result
    }
}
