// SPDX-License-Identifier: Apache-2.0

/// Names in archives that are looked up, not unpacked.
package enum ArchiveName {
    /// Relative, without `.`, `..` and double slashes; nil when `..` leads out of the archive.
    package static func normalized(_ name: [UInt8]) -> String? { EntryPath(name)?.display }
}

/// The content of a reader's current entry, as a source of its own.
package final class ContentSource: ByteSource {
    private let reader: TarReader

    package init(_ reader: TarReader) { self.reader = reader }

    package func next() throws(LayerError) -> UnsafeRawBufferPointer { try reader.content() }
}
