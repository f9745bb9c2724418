// SPDX-License-Identifier: Apache-2.0

/// The content of a reader's current entry, as a source of its own.
package final class ContentSource: ByteSource {
    private let reader: TarReader

    package init(_ reader: TarReader) { self.reader = reader }

    package func next() throws(ArchiveError) -> UnsafeRawBufferPointer { try reader.content() }
}
