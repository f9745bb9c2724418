// SPDX-License-Identifier: Apache-2.0

/// The value of `--mount`: `type=bind,source=/here,target=/there,readonly`, fields as in a line of CSV.
/// - Source: docker/cli `opts/mount.go`.
package struct MountOption: Hashable, Sendable {
    package private(set) var type = ""
    package private(set) var source = ""
    package private(set) var target = ""
    package private(set) var isReadOnly = false
    package private(set) var propagation = ""
    package private(set) var isNonRecursive = false
    package private(set) var createsSource = false
    package private(set) var sizeBytes: UInt64 = 0
    package private(set) var mode: UInt32 = 0

    private let text: String

    /// - Parameter workingDirectory: What a source that begins with `.` starts from.
    package init(_ text: String, workingDirectory: String) throws(Failure) {
        self.text = text
        for field in try Self.fields(text) { try read(field, workingDirectory) }
        try check()
    }

    private func invalid(_ why: String, advice: String = "") -> Failure {
        Failure("--mount '\(text)'", why, advice: advice, exitCode: 125)
    }

    private mutating func read(_ field: String, _ workingDirectory: String) throws(Failure) {
        let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init
        )
        let key = parts[0].lowercased()
        let value = parts.count == 2 ? parts[1] : nil
        switch (key, value) {
        case ("readonly", _), ("ro", _): isReadOnly = try flag(field, value)
        case ("bind-nonrecursive", _): isNonRecursive = try flag(field, value)
        case ("bind-create-src", _): createsSource = try flag(field, value)
        case (_, nil): throw invalid("invalid field '\(field)' must be a key=value pair")
        case ("type", let value?): type = value.lowercased()
        case ("source", let value?), ("src", let value?):
            source =
                value == "." || value == ".." || value.hasPrefix("./") || value.hasPrefix("../")
                ? workingDirectory + "/" + value : value
        case ("target", let value?), ("destination", let value?), ("dst", let value?): target = value
        case ("bind-propagation", let value?): propagation = value.lowercased()
        case ("bind-recursive", let value?):
            guard ["enabled", "disabled"].contains(value) else {
                throw invalid("'\(field)' is not supported", advice: "use bind-recursive=enabled or disabled")
            }
            isNonRecursive = value == "disabled"
        case ("tmpfs-size", let value?):
            guard let bytes = HumanSize.bytes(value) else {
                throw invalid("invalid value for tmpfs-size: \(value)")
            }
            sizeBytes = bytes
        case ("tmpfs-mode", let value?):
            guard let bits = UInt32(value, radix: 8), bits <= 0o7777 else {
                throw invalid(
                    "invalid value for tmpfs-mode: \(value)",
                    advice: "write it in octal: tmpfs-mode=1770"
                )
            }
            mode = bits
        // A hint for other systems, accepted as Docker does.
        case ("consistency", _?): break
        case ("volume-driver", _?), ("volume-label", _?), ("volume-opt", _?), ("volume-nocopy", _?),
            ("volume-subpath", _?), ("image-subpath", _?):
            throw invalid("'\(key)' is not supported yet")
        default: throw invalid("unexpected key '\(parts[0])' in '\(field)'")
        }
    }

    private func flag(_ field: String, _ value: String?) throws(Failure) -> Bool {
        switch value?.lowercased() {
        case nil, "true", "1": return true
        case "false", "0": return false
        default: throw invalid("invalid value in '\(field)'", advice: "use true or false")
        }
    }

    private func check() throws(Failure) {
        guard !target.isEmpty else { throw invalid("target is required") }
        switch type {
        case "bind":
            guard !source.isEmpty else { throw invalid("source is required for a bind mount") }
            guard sizeBytes == 0, mode == 0 else {
                throw invalid("cannot mix 'tmpfs-*' options with mount type 'bind'")
            }
        case "tmpfs":
            guard source.isEmpty else { throw invalid("a tmpfs has no source") }
            guard propagation.isEmpty, !isNonRecursive, !createsSource else {
                throw invalid("cannot mix 'bind-*' options with mount type 'tmpfs'")
            }
        case "", "volume":
            throw invalid("volumes are not supported yet", advice: "use type=bind or type=tmpfs")
        default: throw invalid("mount type '\(type)' is not supported", advice: "use type=bind or type=tmpfs")
        }
    }

    /// One line of CSV: a field in double quotes may hold commas, and a quote as two.
    private static func fields(_ text: String) throws(Failure) -> [String] {
        var fields = [""]
        var isQuoted = false
        for character in text {
            switch character {
            case "\"": isQuoted.toggle()
            case "," where !isQuoted: fields.append("")
            default: fields[fields.count - 1].append(character)
            }
        }
        guard !isQuoted, !fields.contains("") else {
            throw Failure(
                "--mount '\(text)'",
                "has an empty field, or a quote without its end",
                exitCode: 125
            )
        }
        return fields
    }
}
