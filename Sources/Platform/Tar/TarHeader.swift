// SPDX-License-Identifier: Apache-2.0

/// The fields of a 512-byte header block. Offset and width of each are those of POSIX ustar; GNU's differ only after
/// 345, where GNU has no name prefix.
struct TarHeader {
    static let blockBytes = 512

    let block: UnsafeRawBufferPointer
    let offset: Int64

    /// - Throws: `.notTar` or `.badChecksum`.
    init(_ block: UnsafeRawBufferPointer, offset: Int64) throws(ArchiveError) {
        self.block = block
        self.offset = offset
        guard let stated = Self.octal(block[148..<156]) else { throw .tar(offset: offset, .notTar) }
        // The checksum field itself counts as spaces; some old writers summed signed bytes.
        var sum: Int64 = 0
        var signedSum: Int64 = 0
        for (index, byte) in block.enumerated() {
            let value: UInt8 = (148..<156).contains(index) ? 0x20 : byte
            sum += Int64(value)
            signedSum += Int64(Int8(bitPattern: value))
        }
        guard stated == sum || stated == signedSum else { throw .tar(offset: offset, .badChecksum) }
    }

    var type: UInt8 { block[156] }
    var name: [UInt8] { text(0, 100) }
    var linkTarget: [UInt8] { text(157, 100) }
    private var isUstar: Bool { block[257..<263].elementsEqual([0x75, 0x73, 0x74, 0x61, 0x72, 0]) }

    /// With ustar's prefix where there is one.
    var fullName: [UInt8] {
        guard isUstar, block[345] != 0 else { return name }
        return text(345, 155) + [0x2f] + name
    }

    func permissions() throws(ArchiveError) -> UInt32 {
        UInt32(truncatingIfNeeded: try number(100, 8, "mode") & 0o7777)
    }

    func user() throws(ArchiveError) -> UInt32 { try identifier(108, "owner") }
    func group() throws(ArchiveError) -> UInt32 { try identifier(116, "group") }

    func size() throws(ArchiveError) -> Int64 {
        let size = try number(124, 12, "size")
        guard size >= 0 else { throw .tar(offset: offset, .badNumber(field: "size")) }
        return size
    }

    func modifiedSeconds() throws(ArchiveError) -> Int64 { try number(136, 12, "time") }
    func deviceMajor() throws(ArchiveError) -> UInt32 { try identifier(329, "device number") }
    func deviceMinor() throws(ArchiveError) -> UInt32 { try identifier(337, "device number") }

    private func text(_ start: Int, _ width: Int) -> [UInt8] {
        Array(block[start..<start + width].prefix { $0 != 0 })
    }

    private func identifier(_ start: Int, _ field: String) throws(ArchiveError) -> UInt32 {
        guard let value = UInt32(exactly: try number(start, 8, field)) else {
            throw .tar(offset: offset, .badNumber(field: field))
        }
        return value
    }

    private func number(_ start: Int, _ width: Int, _ field: String) throws(ArchiveError) -> Int64 {
        let bytes = block[start..<start + width]
        guard let value = bytes[start] & 0x80 != 0 ? Self.binary(bytes) : Self.octal(bytes) else {
            throw .tar(offset: offset, .badNumber(field: field))
        }
        return value
    }

    /// Octal digits with spaces or NULs around them; nothing at all is 0.
    static func octal(_ bytes: Slice<UnsafeRawBufferPointer>) -> Int64? {
        var value: Int64 = 0
        var hasDigits = false
        var hasEnded = false
        for byte in bytes {
            switch byte {
            case 0x30...0x37:
                guard !hasEnded, value < Int64.max >> 3 else { return nil }
                value = value << 3 | Int64(byte - 0x30)
                hasDigits = true
            case 0x20, 0: hasEnded = hasDigits
            default: return nil
            }
        }
        return value
    }

    /// GNU's base-256: big-endian two's complement below the top bit of the first byte.
    static func binary(_ bytes: Slice<UnsafeRawBufferPointer>) -> Int64? {
        let isNegative = bytes[bytes.startIndex] & 0x40 != 0
        var value: Int64 = isNegative ? -1 : 0
        for (index, byte) in bytes.enumerated() {
            let bits = index == 0 ? (isNegative ? byte | 0x80 : byte & 0x7f) : byte
            guard value <= Int64.max >> 8, value >= Int64.min >> 8 else { return nil }
            value = value << 8 | Int64(bits)
        }
        return value
    }
}
