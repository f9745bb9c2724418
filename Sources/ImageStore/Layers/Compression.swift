// SPDX-License-Identifier: Apache-2.0

/// How a stream is compressed, as its first bytes say.
package enum Compression: String, Sendable {
    case none = "plain"
    case gzip
    case zstd

    /// Looks at the first bytes of `source`; what it took from it is in front of the source that it gives back.
    package static func sniff(_ source: any ByteSource) throws(LayerError) -> (Compression, any ByteSource) {
        var head: [UInt8] = []
        while head.count < 4 {
            let chunk = try source.next()
            if chunk.isEmpty { break }
            head += chunk
        }
        return (Compression(head: head), PrefixedSource(head, source))
    }

    /// The uncompressed bytes of `source`, whatever compression it has.
    package static func expanding(_ source: any ByteSource) throws(LayerError) -> (
        Compression, any ByteSource
    ) {
        let (kind, whole) = try sniff(source)
        switch kind {
        case .none: return (kind, whole)
        case .gzip: return (kind, GzipSource(whole))
        case .zstd: return (kind, try ZstdSource(whole))
        }
    }

    /// RFC 1952 (1f 8b, method 8); RFC 8878 (frame magic, or one of the 16 magics of skippable frames).
    init(head: [UInt8]) {
        if head.count >= 3, head[0] == 0x1f, head[1] == 0x8b, head[2] == 8 {
            self = .gzip
        } else if head.count >= 4, head[..<4] == [0x28, 0xb5, 0x2f, 0xfd] {
            self = .zstd
        } else if head.count >= 4, head[0] & 0xf0 == 0x50, head[1..<4] == [0x2a, 0x4d, 0x18] {
            self = .zstd
        } else {
            self = .none
        }
    }
}
