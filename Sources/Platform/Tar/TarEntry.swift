// SPDX-License-Identifier: Apache-2.0

/// One member of a tar archive, without its content.
package struct TarEntry: Sendable {
    package enum Kind: Hashable, Sendable {
        case regular, directory, hardLink, symbolicLink, characterDevice, blockDevice, fifo
    }

    /// Bytes as in the archive, without NUL; not always UTF-8.
    package var name: [UInt8] = []
    package var kind: Kind = .regular
    /// Of both kinds of links.
    package var linkTarget: [UInt8] = []
    /// At most `0o7777`.
    package var permissions: UInt32 = 0
    package var user: UInt32 = 0
    package var group: UInt32 = 0
    /// Of a regular file; others have no content.
    package var sizeBytes: Int64 = 0
    package var modifiedSeconds: Int64 = 0
    package var modifiedNanos: Int64 = 0
    package var deviceMajor: UInt32 = 0
    package var deviceMinor: UInt32 = 0
    /// Extended attributes, from `SCHILY.xattr` records.
    package var attributes: [(name: String, value: [UInt8])] = []
    /// Where its header begins in the stream.
    package var offset: Int64 = 0

    package init() {}

    /// For people; bytes that are not UTF-8 are replaced.
    package var displayName: String { String(decoding: name, as: UTF8.self) }
}
