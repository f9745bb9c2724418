// SPDX-License-Identifier: Apache-2.0

/// How a stream is compressed.
package enum Compression: String, Sendable {
    case none = "plain"
    case gzip
    case zstd

    /// As its first bytes say: RFC 1952 (1f 8b, method 8); RFC 8878 (frame magic, or one of the 16 magics of skippable
    /// frames).
    package init(head: [UInt8]) {
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
