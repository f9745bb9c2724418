// SPDX-License-Identifier: Apache-2.0

/// The name of an image in a registry, normalised as Docker does it: `busybox` means
/// `docker.io/library/busybox`, `localhost:5000/app` is on another host.
///
/// Source followed: github.com/distribution/reference, its grammar and `ParseNormalizedNamed`.
package struct Reference: Hashable, Sendable, CustomStringConvertible {
    /// The registry: `docker.io`, `localhost:5000`, `[::1]:5000`.
    package let domain: String
    /// The repository in it: `library/busybox`.
    package let path: String
    package let tag: String?
    package let digest: Digest?

    private static let defaultDomain = "docker.io"
    private static let officialPrefix = "library/"
    /// `sha256:…` as a name would be taken for a digest.
    private static let reservedPath = officialPrefix + "sha256"

    /// - Throws: `.invalidReference`, which says what the grammar wants; `.invalidDigest`.
    package init(_ text: String) throws(OCIError) {
        func invalid(_ reason: String) -> OCIError { .invalidReference(text, reason) }
        guard !text.isEmpty else { throw invalid("it is empty") }
        guard text.utf8.count <= 1_024 else { throw invalid("it is longer than 1024 bytes") }
        guard !Self.isImageID(text) else {
            throw invalid("64 hexadecimal digits are an image id, not a name")
        }

        var rest = Substring(text)
        var digest: Digest?
        if let at = rest.firstIndex(of: "@") {
            digest = try Digest(rest[rest.index(after: at)...])
            rest = rest[..<at]
        }
        var tag: String?
        let nameStart = rest.lastIndex(of: "/").map { rest.index(after: $0) } ?? rest.startIndex
        if let colon = rest[nameStart...].firstIndex(of: ":") {
            let text = rest[rest.index(after: colon)...]
            guard Self.isTag(text) else {
                throw invalid(
                    "a tag is 1 to 128 letters, digits, '_', '.' or '-', the first neither '.' nor '-'"
                )
            }
            tag = String(text)
            rest = rest[..<colon]
        }
        var (domain, path) = Self.splitDomain(rest)
        guard Self.isDomain(domain) else { throw invalid("\"\(domain.prefix(100))\" is no registry host") }
        if domain == "index.docker.io" { domain = Self.defaultDomain }
        if domain == Self.defaultDomain, !path.contains("/") { path = Self.officialPrefix + path }
        guard domain != Self.defaultDomain || path != Self.reservedPath else {
            throw invalid("\"sha256\" begins image ids and digests, and is no name")
        }
        guard path.utf8.allSatisfy({ !(0x41...0x5a).contains($0) }) else {
            throw invalid("the repository name must be lower case")
        }
        guard Self.isPath(path) else {
            throw invalid(
                "a name consists of lower-case letters and digits, separated by '.', '_', '-' or '/'"
            )
        }
        guard domain.utf8.count + 1 + path.utf8.count <= 255 else {
            throw invalid("the name exceeds 255 bytes")
        }
        self.init(domain: domain, path: path, tag: tag, digest: digest)
    }

    private init(domain: String, path: String, tag: String?, digest: Digest?) {
        self.domain = domain
        self.path = path
        self.tag = tag
        self.digest = digest
    }

    /// Whether `text` is an image id without its algorithm: 64 hexadecimal digits.
    package static func isImageID(_ text: some StringProtocol) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy(\.isLowerHexDigit)
    }

    /// The repository: `docker.io/library/busybox`.
    package var name: String { domain + "/" + path }

    /// As Docker shows the repository: `busybox`, `team/app`, `localhost:5000/app`.
    package var familiarName: String {
        guard domain == Self.defaultDomain else { return name }
        guard path.hasPrefix(Self.officialPrefix) else { return path }
        let short = path.dropFirst(Self.officialPrefix.count)
        return short.contains("/") ? path : String(short)
    }

    /// Whole and unambiguous: `docker.io/library/busybox:latest`.
    package var description: String { name + suffix }

    /// As Docker shows it: `busybox:latest`.
    package var familiar: String { familiarName + suffix }

    private var suffix: String { (tag.map { ":" + $0 } ?? "") + (digest.map { "@\($0)" } ?? "") }

    /// With `:latest` where there is neither tag nor digest.
    package var withDefaultTag: Reference { tag == nil && digest == nil ? withTag("latest") : self }

    /// Without its tag: `name@digest`.
    package func withDigest(_ digest: Digest) -> Reference {
        Reference(domain: domain, path: path, tag: nil, digest: digest)
    }

    private func withTag(_ tag: String) -> Reference {
        Reference(domain: domain, path: path, tag: tag, digest: nil)
    }

    private static func splitDomain(_ name: Substring) -> (String, String) {
        guard let slash = name.firstIndex(of: "/") else { return (defaultDomain, String(name)) }
        let first = name[..<slash]
        let isHost =
            first.contains(".") || first.contains(":") || first == "localhost" || first != first.lowercased()
        guard isHost else { return (defaultDomain, String(name)) }
        return (String(first), String(name[name.index(after: slash)...]))
    }

    private static func isTag(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, (1...128).contains(text.utf8.count) else { return false }
        return (first.isLetter || first.isDigit || first == 0x5f)
            && text.utf8.allSatisfy { $0.isLetter || $0.isDigit || $0 == 0x5f || $0 == 0x2e || $0 == 0x2d }
    }

    private static func isDomain(_ text: String) -> Bool {
        var host = Substring(text)
        if let colon = host.lastIndex(of: ":"), !host.hasSuffix("]") {
            let port = host[host.index(after: colon)...]
            guard !port.isEmpty, port.utf8.allSatisfy(\.isDigit), UInt16(port) != nil else { return false }
            host = host[..<colon]
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            let address = host.dropFirst().dropLast()
            return !address.isEmpty
                && address.utf8.allSatisfy { $0.isDigit || (0x61...0x66).contains($0 | 0x20) || $0 == 0x3a }
        }
        return !host.isEmpty
            && host.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
                guard let first = part.utf8.first, let last = part.utf8.last else { return false }
                return (first.isLetter || first.isDigit) && (last.isLetter || last.isDigit)
                    && part.utf8.allSatisfy { $0.isLetter || $0.isDigit || $0 == 0x2d }
            }
    }

    /// Components of letters and digits, between which stands one `.`, one or two `_`, or any number of `-`.
    private static func isPath(_ text: String) -> Bool {
        text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
            guard let first = part.utf8.first, let last = part.utf8.last else { return false }
            guard first.isLowerLetter || first.isDigit, last.isLowerLetter || last.isDigit else {
                return false
            }
            var separator: [UInt8] = []
            for byte in part.utf8 {
                if byte.isLowerLetter || byte.isDigit {
                    separator = []
                    continue
                }
                separator.append(byte)
                let isSeparator =
                    separator == [0x2e] || separator == [0x5f] || separator == [0x5f, 0x5f]
                    || separator.allSatisfy { $0 == 0x2d }
                guard isSeparator else { return false }
            }
            return true
        }
    }
}
