// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Writes tar archives entry by entry, also such as no honest program would write.
package struct TarArchive {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package enum Kind: UInt8 {
        case file = 0x30
        case hardLink = 0x31
        case symbolicLink = 0x32
        case characterDevice = 0x33
        case directory = 0x35
        case fifo = 0x36
        case extendedHeader = 0x78
        case globalHeader = 0x67
    }

    /// Appends one entry. `size` says another length in the header than `content` has.
    package mutating func add(
        _ kind: Kind,
        _ name: String,
        content: [UInt8] = [],
        link: String = "",
        mode: Int = 0o644,
        owner: Int = 0,
        device: (major: Int, minor: Int) = (0, 0),
        size: Int? = nil
    ) {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int, width: Int) {
            for (index, byte) in text.utf8.prefix(width).enumerated() { header[offset + index] = byte }
        }
        func octal(_ value: Int, _ width: Int) -> String {
            let digits = String(value, radix: 8)
            return String(repeating: "0", count: max(0, width - 1 - digits.count)) + digits
        }
        put(name, at: 0, width: 100)
        put(octal(mode, 8), at: 100, width: 8)
        put(octal(owner, 8), at: 108, width: 8)
        put(octal(owner, 8), at: 116, width: 8)
        put(octal(size ?? content.count, 12), at: 124, width: 12)
        put(octal(0, 12), at: 136, width: 12)
        put("        ", at: 148, width: 8)
        header[156] = kind.rawValue
        put(link, at: 157, width: 100)
        put("ustar\0" + "00", at: 257, width: 8)
        put(octal(device.major, 8), at: 329, width: 8)
        put(octal(device.minor, 8), at: 337, width: 8)
        let sum = header.reduce(0) { $0 + Int($1) }
        put(octal(sum, 7) + "\0 ", at: 148, width: 8)
        bytes += header + content
        bytes += [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }

    package mutating func add(_ kind: Kind, _ name: String, text: String, mode: Int = 0o644) {
        add(kind, name, content: Array(text.utf8), mode: mode)
    }

    /// A pax header of one record, for the entry that follows.
    package mutating func addExtendedHeader(_ key: String, _ value: [UInt8]) {
        addExtendedHeaders([(key, value)])
    }

    /// - Parameter kind: For the entry that follows, or for all that follow.
    package mutating func addExtendedHeaders(
        _ records: [(key: String, value: [UInt8])],
        _ kind: Kind = .extendedHeader
    ) {
        add(kind, "PaxHeader", content: records.flatMap { Self.record($0.key, $0.value) })
    }

    /// "LENGTH key=value\n", where LENGTH counts itself too.
    private static func record(_ key: String, _ value: [UInt8]) -> [UInt8] {
        let rest = 1 + key.utf8.count + 1 + value.count + 1
        var length = rest + String(rest).count
        length = rest + String(length).count
        return Array("\(length) \(key)=".utf8) + value + [0x0a]
    }

    /// With the two empty blocks at its end.
    package var finished: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }
}

/// Images for tests, as Docker archives.
package enum TestImage {
    /// A Docker archive of one image with these layers (uncompressed tar archives, lowest first).
    package static func archive(
        _ name: String,
        layers: [[UInt8]],
        config: String = #""Cmd":["sh"]"#,
        architecture: String = "amd64",
        diffIDs: [String]? = nil
    ) throws -> [UInt8] {
        let digests = try diffIDs ?? layers.map { "sha256:" + (try sha256($0)) }
        let list = digests.map { "\"\($0)\"" }.joined(separator: ",")
        let json = """
            {"architecture":"\(architecture)","os":"linux","config":{\(config)},"rootfs":{"type":"layers","diff_ids":[\(list)]}}
            """
        let configName = try sha256(Array(json.utf8)) + ".json"
        let names = layers.indices.map { "layer\($0)/layer.tar" }
        let quoted = names.map { "\"\($0)\"" }.joined(separator: ",")
        var archive = TarArchive()
        archive.add(
            .file,
            "manifest.json",
            text: #"[{"Config":"\#(configName)","RepoTags":["\#(name)"],"Layers":[\#(quoted)]}]"#
        )
        archive.add(.file, configName, text: json)
        for (name, layer) in zip(names, layers) { archive.add(.file, name, content: layer) }
        return archive.finished
    }

    /// The busybox layer itself, to put others on top of it.
    package static func busyboxLayer() throws -> [UInt8] {
        try withTemporaryDirectory { directory in
            try succeed("tar", ["-xf", busyboxArchive.get(), "-C", directory])
            let layer = try FileManager.default.contentsOfDirectory(atPath: directory)
                .map { "\(directory)/\($0)/layer.tar" }.first { FileManager.default.fileExists(atPath: $0) }
            guard let layer, let data = FileManager.default.contents(atPath: layer) else {
                throw CommandOutputUnreadable(description: "no layer in the busybox archive")
            }
            return [UInt8](data)
        }
    }

    package static func sha256(_ bytes: [UInt8]) throws -> String {
        let outcome = try run("sha256sum", stdin: .bytes(bytes))
        return String(outcome.text.prefix(64))
    }
}
