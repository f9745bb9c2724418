// SPDX-License-Identifier: Apache-2.0

/// What `logs --details` shows before each line: the labels and variables of the container that the log options `labels`
/// and `env` name, each a list with commas, and the `tag`. `NAME=value,…` in order of names, escaped as in a form, as Docker writes it;
/// empty where there are none.
struct LogDetails: Hashable, Sendable {
    /// So that a line stays readable, and a reading bounded.
    private static let limitBytes = 16 << 10

    let text: String

    /// - Throws: `.invalidField` when they are longer than 16 KiB together.
    init(of row: ContainerRow) throws(EngineError) {
        let (log, container) = (row.settings.log, row.resolved)
        var pairs: [String: String] = [:]
        if let tag = log.options["tag"] { pairs["tag"] = try LogTag(tag).text(for: row) }
        for name in Self.names(log.options["labels"]) { pairs[name] = container.labels[name] }
        let wanted = Set(Self.names(log.options["env"]))
        for variable in container.environment where !wanted.isEmpty {
            let name = Environment.name(of: variable)
            guard wanted.contains(String(name)), name.endIndex < variable.endIndex else { continue }
            pairs[String(name)] = String(variable[name.endIndex...].dropFirst())
        }
        text = pairs.sorted { $0.key < $1.key }
            .map { Self.escaped($0.key) + "=" + Self.escaped($0.value) }.joined(separator: ",")
        guard text.utf8.count <= Self.limitBytes else {
            throw .invalidField(
                "details",
                "the labels and variables before each line have \(text.utf8.count) bytes, more than \(Self.limitBytes)",
                advice: "read it without --details"
            )
        }
    }

    private static func names(_ list: String?) -> [String] {
        (list ?? "").split(separator: ",").map { name in
            String(name.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
    }

    /// As `application/x-www-form-urlencoded`.
    private static func escaped(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var result: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: result.append(byte)
            case 0x20: result.append(0x2b)
            default: result += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
