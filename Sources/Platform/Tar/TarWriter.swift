// SPDX-License-Identifier: Apache-2.0

/// Where a writer's bytes go.
package protocol ByteSink: AnyObject {
    /// Takes all of `bytes`; blocks until there is room.
    func write(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError)
}

/// Collects what is written in memory, up to a limit.
package final class MemorySink: ByteSink {
    package private(set) var bytes: [UInt8] = []
    private let limit: Int

    package init(limit: Int = 64 << 20) { self.limit = limit }

    package func write(_ more: UnsafeRawBufferPointer) throws(ArchiveError) {
        guard bytes.count + more.count <= limit else { throw .limit(.bytes(Int64(limit))) }
        bytes += more
    }
}

/// Writes a tar stream entry by entry: ustar, and PAX records for what ustar has no room for (long names, large numbers,
/// fractions of seconds, attributes).
///
/// Holds one header at a time and nothing of the content. Used by one thread. After each `add` of a regular file its
/// content follows in any number of `content` calls, exactly as much as the entry says.
package final class TarWriter {
    private let sink: any ByteSink
    private var contentLeft: Int64 = 0
    private var paddingLeft = 0
    /// What the archive would be long without PAX records, its end included.
    package private(set) var plainBytes: Int64 = 2 * Int64(TarHeader.blockBytes)
    package private(set) var entryCount = 0

    package init(_ sink: any ByteSink) { self.sink = sink }

    /// Writes the header.
    /// - Throws: what the sink throws; `.refused` for names or attributes that no reader would take.
    package func add(_ entry: TarEntry) throws(ArchiveError) {
        precondition(contentLeft == 0 && paddingLeft == 0, "the entry before has content left")
        guard !entry.name.isEmpty else { throw .refused(entry: "", .emptyName) }
        let limit = TarReader.maximumName
        guard entry.name.count <= limit, entry.linkTarget.count <= limit else {
            throw .refused(entry: entry.displayName, .tooLongName(limit: limit))
        }
        let header = HeaderEncoder(entry)
        if !header.records.isEmpty { try write(header.extendedHeader) }
        try write(header.block)
        entryCount += 1
        let size = entry.kind == .regular ? entry.sizeBytes : 0
        contentLeft = size
        paddingLeft = TarReader.padding(of: size)
        plainBytes += Int64(TarHeader.blockBytes) + size + Int64(paddingLeft)
        if contentLeft == 0 { paddingLeft = 0 }
    }

    /// Writes the next part of a regular file's content.
    package func content(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
        precondition(bytes.count <= contentLeft, "more content than the entry has")
        try sink.write(bytes)
        contentLeft -= Int64(bytes.count)
        guard contentLeft == 0, paddingLeft > 0 else { return }
        try write([UInt8](repeating: 0, count: paddingLeft))
        paddingLeft = 0
    }

    /// Writes the end of the archive: two blocks of zeros.
    package func finish() throws(ArchiveError) {
        precondition(contentLeft == 0, "the last entry has content left")
        try write([UInt8](repeating: 0, count: 2 * TarHeader.blockBytes))
    }

    private func write(_ bytes: [UInt8]) throws(ArchiveError) {
        // Through a result, since the standard library's function does not throw typed errors.
        let result = bytes.withUnsafeBytes { bytes -> Result<Void, ArchiveError> in
            do throws(ArchiveError) { return .success(try sink.write(bytes)) } catch {
                return .failure(error)
            }
        }
        try result.get()
    }
}
