// SPDX-License-Identifier: Apache-2.0

/// Reads a tar stream entry by entry: ustar, PAX (also global headers), GNU long names and base-256 numbers, v7.
///
/// Memory is bounded: one block, at most 1 MiB for each kind of extended header (of each kind the last one counts), and
/// as much for the attributes that global ones have set. Used by one thread.
package final class TarReader {
    private static let maximumExtendedHeader: Int64 = 1 << 20
    /// The kernel takes no longer paths.
    static let maximumName = 4_096

    private let source: any ByteSource
    private var chunk = UnsafeRawBufferPointer(start: nil, count: 0)
    /// Bytes of the stream that were taken.
    private var offset: Int64 = 0
    /// What the archive that was read until now would be long without extended headers, an end included.
    package private(set) var plainBytes: Int64 = 2 * Int64(TarHeader.blockBytes)
    private var contentLeft: Int64 = 0
    private var paddingLeft: Int64 = 0
    private var global = ExtendedHeader()
    private var hasEnded = false
    private let block = UnsafeMutableRawBufferPointer.allocate(byteCount: TarHeader.blockBytes, alignment: 16)

    package init(_ source: any ByteSource) { self.source = source }

    deinit { block.deallocate() }

    /// The next entry; the rest of the one before is skipped. Nil at the end, after which the source has been read to
    /// its own end, so that a hash below covers all of it.
    package func next() throws(ArchiveError) -> TarEntry? {
        guard !hasEnded else { return nil }
        try skip(contentLeft + paddingLeft)
        (contentLeft, paddingLeft) = (0, 0)
        var own: [UInt8] = []
        var longName: [UInt8]?
        var longTarget: [UInt8]?
        while let header = try readHeader() {
            switch header.type {
            case UInt8(ascii: "x"): own = try readExtended(header)
            case UInt8(ascii: "g"): try global.add(try readExtended(header), offset: header.offset)
            case UInt8(ascii: "L"): longName = try readLongText(header)
            case UInt8(ascii: "K"): longTarget = try readLongText(header)
            case UInt8(ascii: "V"): try skipContent(of: header)
            default:
                var extended = global
                try extended.add(own, offset: header.offset)
                return try entry(header, extended, longName, longTarget)
            }
        }
        hasEnded = true
        while try !refill().isEmpty { offset += Int64(chunk.count) }
        return nil
    }

    /// The next bytes of the current entry's content, valid until the next call; empty at its end.
    package func content() throws(ArchiveError) -> UnsafeRawBufferPointer {
        guard contentLeft > 0 else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        if chunk.isEmpty, try refill().isEmpty { throw .tar(offset: offset, .truncated) }
        let count = min(chunk.count, Int(clamping: contentLeft))
        let part = UnsafeRawBufferPointer(rebasing: chunk[..<count])
        take(count)
        contentLeft -= Int64(count)
        return part
    }

    /// All of the current entry's content.
    /// - Throws: `.limit` when it is larger than `limit`.
    package func wholeContent(limit: Int) throws(ArchiveError) -> [UInt8] {
        guard contentLeft <= limit else { throw .limit(.bytes(Int64(limit))) }
        var result: [UInt8] = []
        result.reserveCapacity(Int(contentLeft))
        while contentLeft > 0 { result += try content() }
        return result
    }

    private func entry(
        _ header: TarHeader,
        _ extended: ExtendedHeader,
        _ longName: [UInt8]?,
        _ longTarget: [UInt8]?
    ) throws(ArchiveError) -> TarEntry {
        var entry = TarEntry()
        entry.offset = header.offset
        entry.name = extended.path ?? longName ?? header.fullName
        entry.linkTarget = extended.linkPath ?? longTarget ?? header.linkTarget
        guard entry.name.count <= Self.maximumName, entry.linkTarget.count <= Self.maximumName else {
            throw .refused(entry: entry.displayName, .tooLongName(limit: Self.maximumName))
        }
        entry.kind = try kind(header, name: entry.name)
        if extended.isSparse { throw .tar(offset: header.offset, .sparse) }
        entry.permissions = try header.permissions()
        if let user = extended.user { entry.user = user } else { entry.user = try header.user() }
        if let group = extended.group { entry.group = group } else { entry.group = try header.group() }
        if let modified = extended.modified {
            (entry.modifiedSeconds, entry.modifiedNanos) = modified
        } else {
            entry.modifiedSeconds = try header.modifiedSeconds()
        }
        if entry.kind == .characterDevice || entry.kind == .blockDevice {
            entry.deviceMajor = try header.deviceMajor()
            entry.deviceMinor = try header.deviceMinor()
        }
        entry.attributes = extended.attributes.map { ($0.key, $0.value) }
        if entry.kind == .regular {
            if let size = extended.size {
                entry.sizeBytes = size
            } else {
                entry.sizeBytes = try header.size()
            }
            guard entry.sizeBytes <= Int64.max - 1_024 else {
                throw .tar(offset: header.offset, .badNumber(field: "size"))
            }
            contentLeft = entry.sizeBytes
            paddingLeft = Self.padding(entry.sizeBytes)
        }
        plainBytes = plainBytes &+ Int64(TarHeader.blockBytes) &+ contentLeft &+ paddingLeft
        return entry
    }

    private func kind(_ header: TarHeader, name: [UInt8]) throws(ArchiveError) -> TarEntry.Kind {
        switch header.type {
        // v7 had no directories of their own: a name with a slash at its end was one.
        case UInt8(ascii: "0"), 0: return name.last == 0x2f ? .directory : .regular
        case UInt8(ascii: "7"): return .regular
        case UInt8(ascii: "1"): return .hardLink
        case UInt8(ascii: "2"): return .symbolicLink
        case UInt8(ascii: "3"): return .characterDevice
        case UInt8(ascii: "4"): return .blockDevice
        case UInt8(ascii: "5"): return .directory
        case UInt8(ascii: "6"): return .fifo
        case UInt8(ascii: "S"): throw .tar(offset: header.offset, .sparse)
        default: throw .tar(offset: header.offset, .unknownType(header.type))
        }
    }

    private func readExtended(_ header: TarHeader) throws(ArchiveError) -> [UInt8] {
        let size = try header.size()
        guard size <= Self.maximumExtendedHeader else {
            throw .tar(offset: header.offset, .tooLongExtendedHeader)
        }
        contentLeft = size
        paddingLeft = Self.padding(size)
        let bytes = try wholeContent(limit: Int(size))
        try skip(paddingLeft)
        paddingLeft = 0
        return bytes
    }

    private func readLongText(_ header: TarHeader) throws(ArchiveError) -> [UInt8] {
        Array(try readExtended(header).prefix { $0 != 0 })
    }

    private func skipContent(of header: TarHeader) throws(ArchiveError) {
        let size = try header.size()
        guard size <= Self.maximumExtendedHeader else {
            throw .tar(offset: header.offset, .tooLongExtendedHeader)
        }
        try skip(size + Self.padding(size))
    }

    /// Nil at the end: two blocks of zeros, or the end of the stream where a header could begin.
    private func readHeader() throws(ArchiveError) -> TarHeader? {
        let start = offset
        guard try readBlock(mayEnd: true) else { return nil }
        if block.allSatisfy({ $0 == 0 }) {
            guard try readBlock(mayEnd: true) else { return nil }
            guard block.allSatisfy({ $0 == 0 }) else { throw .tar(offset: start, .strayZeroBlock) }
            return nil
        }
        return try TarHeader(UnsafeRawBufferPointer(block), offset: start)
    }

    private func readBlock(mayEnd: Bool) throws(ArchiveError) -> Bool {
        var filled = 0
        while filled < TarHeader.blockBytes {
            if chunk.isEmpty, try refill().isEmpty {
                guard mayEnd, filled == 0 else {
                    throw .tar(offset: offset, offset < 512 ? .notTar : .truncated)
                }
                return false
            }
            let count = min(chunk.count, TarHeader.blockBytes - filled)
            UnsafeMutableRawBufferPointer(rebasing: block[filled..<filled + count])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: chunk[..<count]))
            filled += count
            take(count)
        }
        return true
    }

    private func skip(_ count: Int64) throws(ArchiveError) {
        var left = count
        while left > 0 {
            if chunk.isEmpty, try refill().isEmpty { throw .tar(offset: offset, .truncated) }
            let step = min(chunk.count, Int(clamping: left))
            take(step)
            left -= Int64(step)
        }
    }

    @discardableResult
    private func refill() throws(ArchiveError) -> UnsafeRawBufferPointer {
        chunk = try source.next()
        return chunk
    }

    private func take(_ count: Int) {
        chunk = UnsafeRawBufferPointer(rebasing: chunk[count...])
        offset += Int64(count)
    }

    static func padding(_ size: Int64) -> Int64 { (512 - size % 512) % 512 }

    static func padding(of size: Int64) -> Int { Int(padding(size)) }
}
