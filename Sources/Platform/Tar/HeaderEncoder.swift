// SPDX-License-Identifier: Apache-2.0

/// One entry as it stands in an archive: a ustar header block, and the PAX records that it needs.
///
/// Source followed: POSIX pax, "ustar Interchange Format" and "pax Extended Header".
struct HeaderEncoder {
    private(set) var block: [UInt8]
    /// Empty: the block says it all.
    private(set) var records: [UInt8] = []

    private let entry: TarEntry

    /// The largest numbers of fields with 7 and 11 octal digits.
    private static let short: UInt64 = 0o7777777
    private static let long: UInt64 = 0o77777777777
    private static let nameWidth = 100
    private static let prefixWidth = 155

    init(_ entry: TarEntry) {
        self.entry = entry
        block = [UInt8](repeating: 0, count: TarHeader.blockBytes)
        let isDirectory = entry.kind == .directory
        let name = isDirectory && entry.name.last != 0x2f ? entry.name + [0x2f] : entry.name
        putName(name)
        putLink()
        putNumber(UInt64(entry.permissions & 0o7777), at: 100, width: 8)
        putNumber(UInt64(entry.user), at: 108, width: 8, record: "uid")
        putNumber(UInt64(entry.group), at: 116, width: 8, record: "gid")
        let size = entry.kind == .regular ? entry.sizeBytes : 0
        putNumber(UInt64(max(0, size)), at: 124, width: 12, record: "size")
        putTime()
        block[156] = Self.type(entry.kind)
        put(Array("ustar\u{0}00".utf8), at: 257)
        let isDevice = entry.kind == .characterDevice || entry.kind == .blockDevice
        // PAX has no record for device numbers; larger ones than 2097151 are GNU's base-256.
        putDevice(isDevice ? entry.deviceMajor : 0, at: 329)
        putDevice(isDevice ? entry.deviceMinor : 0, at: 337)
        for (name, value) in entry.attributes.sorted(by: { $0.name < $1.name }) {
            addRecord("SCHILY.xattr." + name, value)
        }
        putChecksum()
    }

    /// The extended header with its content and padding.
    var extendedHeader: [UInt8] {
        var header = TarEntry()
        let base = entry.name.split(separator: 0x2f).last.map(Array.init) ?? []
        header.name = Array("PaxHeaders.0/".utf8) + base.prefix(80)
        header.permissions = 0o644
        header.sizeBytes = Int64(records.count)
        var encoder = HeaderEncoder(header)
        encoder.block[156] = UInt8(ascii: "x")
        encoder.putChecksum()
        return encoder.block + records
            + [UInt8](repeating: 0, count: TarReader.padding(of: Int64(records.count)))
    }

    // MARK: Fields

    /// A name that fits is whole in its field, or split at a slash; any other is cut there and whole in a record.
    private mutating func putName(_ name: [UInt8]) {
        if name.count <= Self.nameWidth { return put(name, at: 0) }
        // The longest rest that fits, behind a slash that is not the last byte.
        let first = max(1, name.count - Self.nameWidth - 1)
        let slash = name.indices.first { index in
            index >= first && index <= Self.prefixWidth && name[index] == 0x2f && index < name.count - 1
        }
        if let slash {
            put(Array(name[..<slash]), at: 345)
            return put(Array(name[(slash + 1)...]), at: 0)
        }
        put(Array(name.prefix(Self.nameWidth)), at: 0)
        addRecord("path", name)
    }

    private mutating func putLink() {
        put(Array(entry.linkTarget.prefix(Self.nameWidth)), at: 157)
        if entry.linkTarget.count > Self.nameWidth { addRecord("linkpath", entry.linkTarget) }
    }

    private mutating func putTime() {
        let isPlain = entry.modifiedNanos == 0 && (0...Int64(Self.long)).contains(entry.modifiedSeconds)
        let seconds = min(max(0, entry.modifiedSeconds), Int64(Self.long))
        putNumber(UInt64(seconds), at: 136, width: 12)
        if !isPlain { addRecord("mtime", Array(Self.time(entry.modifiedSeconds, entry.modifiedNanos).utf8)) }
    }

    /// Decimal seconds: -2 s and 250,000,000 ns are `-1.75`.
    static func time(_ seconds: Int64, _ nanos: Int64) -> String {
        guard nanos > 0 else { return String(seconds) }
        let isNegative = seconds < 0
        let whole = isNegative ? (seconds + 1).magnitude : seconds.magnitude
        let part = isNegative ? 1_000_000_000 - nanos : nanos
        var digits = String(part)
        digits = String(repeating: "0", count: 9 - digits.count) + digits
        while digits.hasSuffix("0") { digits.removeLast() }
        return (isNegative ? "-" : "") + "\(whole).\(digits)"
    }

    /// Octal digits and a NUL; what has more goes into the record, and the field is 0.
    private mutating func putNumber(_ value: UInt64, at offset: Int, width: Int, record: String? = nil) {
        let isLarge = value > (width == 12 ? Self.long : Self.short)
        let digits = String(isLarge ? 0 : value, radix: 8)
        put(Array((String(repeating: "0", count: width - 1 - digits.count) + digits).utf8), at: offset)
        if isLarge, let record { addRecord(record, Array(String(value).utf8)) }
    }

    private mutating func putDevice(_ value: UInt32, at offset: Int) {
        guard UInt64(value) > Self.short else { return putNumber(UInt64(value), at: offset, width: 8) }
        block[offset] = 0x80
        for index in 0..<4 {
            block[offset + 4 + index] = UInt8(truncatingIfNeeded: value >> UInt32(8 * (3 - index)))
        }
    }

    private mutating func putChecksum() {
        for index in 148..<156 { block[index] = 0x20 }
        let sum = block.reduce(UInt64(0)) { $0 + UInt64($1) }
        let digits = String(sum, radix: 8)
        put(Array((String(repeating: "0", count: 6 - digits.count) + digits + "\u{0} ").utf8), at: 148)
    }

    private mutating func put(_ bytes: [UInt8], at offset: Int) {
        block.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }

    private static func type(_ kind: TarEntry.Kind) -> UInt8 {
        switch kind {
        case .regular: UInt8(ascii: "0")
        case .hardLink: UInt8(ascii: "1")
        case .symbolicLink: UInt8(ascii: "2")
        case .characterDevice: UInt8(ascii: "3")
        case .blockDevice: UInt8(ascii: "4")
        case .directory: UInt8(ascii: "5")
        case .fifo: UInt8(ascii: "6")
        }
    }

    // MARK: Records

    private mutating func addRecord(_ key: String, _ value: [UInt8]) {
        records += Self.record(key, value)
    }

    /// `LENGTH KEY=VALUE\n`, where the length counts its own digits too.
    static func record(_ key: String, _ value: [UInt8]) -> [UInt8] {
        let rest = Array(" \(key)=".utf8) + value + [0x0a]
        var length = rest.count + String(rest.count).utf8.count
        if String(length).utf8.count + rest.count > length { length += 1 }
        return Array(String(length).utf8) + rest
    }
}
