// SPDX-License-Identifier: Apache-2.0

/// PAX records: what they change about the entry that follows, or about all that follow.
///
/// Source followed: POSIX pax, "pax Extended Header"; a record is `LENGTH KEY=VALUE\n`, its length in decimal and
/// counting all of it.
struct ExtendedHeader {
    var path: [UInt8]?
    var linkPath: [UInt8]?
    var size: Int64?
    var user: UInt32?
    var group: UInt32?
    var modified: (seconds: Int64, nanos: Int64)?
    private(set) var attributes: [String: [UInt8]] = [:]
    private var attributeBytes = 0
    var isSparse = false

    /// Of all attributes, names and values: more than any file system keeps for a file.
    static let attributeLimit = 1 << 20

    private static let attributePrefix = Array("SCHILY.xattr.".utf8)
    private static let sparsePrefix = Array("GNU.sparse.".utf8)

    init() {}

    /// Adds the records in `bytes`; later ones win.
    mutating func add(_ bytes: [UInt8], offset: Int64) throws(ArchiveError) {
        func bad(_ reason: String) -> ArchiveError { .tar(offset: offset, .badExtendedHeader(reason)) }
        var position = 0
        while position < bytes.count {
            // Some writers fill the rest of the block with NULs.
            if bytes[position] == 0 { break }
            guard let space = bytes[position...].prefix(21).firstIndex(of: 0x20),
                let length = Int(String(decoding: bytes[position..<space], as: UTF8.self)),
                length > space - position + 2, length <= bytes.count - position
            else { throw bad("a record's length is wrong") }
            let end = position + length
            guard bytes[end - 1] == 0x0a, let equals = bytes[space..<end].firstIndex(of: 0x3d) else {
                throw bad("a record is not KEY=VALUE")
            }
            let key = bytes[space + 1..<equals]
            let value = bytes[equals + 1..<end - 1]
            guard try set(key, value) else {
                throw bad("the value of \(String(decoding: key.prefix(60), as: UTF8.self)) is invalid")
            }
            position = end
        }
    }

    /// False when the value is invalid. Unknown keys are no fault; an empty value takes an earlier one back.
    private mutating func set(_ key: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) throws(ArchiveError)
        -> Bool
    {
        if key.starts(with: Self.attributePrefix) {
            let name = key.dropFirst(Self.attributePrefix.count)
            guard !name.isEmpty, name.count <= 255, !name.contains(0) else { return false }
            let text = String(decoding: name, as: UTF8.self)
            attributeBytes += name.count + value.count
            if let old = attributes.updateValue(Array(value), forKey: text) {
                attributeBytes -= name.count + old.count
            }
            return attributeBytes <= Self.attributeLimit
        }
        if key.starts(with: Self.sparsePrefix) {
            isSparse = true
            return true
        }
        let text = String(decoding: value, as: UTF8.self)
        switch String(decoding: key, as: UTF8.self) {
        case "path": path = value.isEmpty ? nil : Array(value)
        case "linkpath": linkPath = value.isEmpty ? nil : Array(value)
        case "size": return Self.assign(&size, text) { Int64($0).flatMap { $0 >= 0 ? $0 : nil } }
        case "uid": return Self.assign(&user, text) { UInt32($0) }
        case "gid": return Self.assign(&group, text) { UInt32($0) }
        case "mtime": return Self.assign(&modified, text, Self.time)
        default: return true
        }
        return !value.contains(0)
    }

    private static func assign<T>(_ field: inout T?, _ text: String, _ parse: (String) -> T?) -> Bool {
        guard !text.isEmpty else {
            field = nil
            return true
        }
        field = parse(text)
        return field != nil
    }

    /// Decimal seconds with a fraction of any length: `-1.5` is one and a half seconds before 1970.
    static func time(_ text: String) -> (seconds: Int64, nanos: Int64)? {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = Int64(parts[0]) else { return nil }
        guard parts.count == 2 else { return (whole, 0) }
        guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        let digits = parts[1].prefix(9)
        let padded = digits + String(repeating: "0", count: 9 - digits.count)
        guard let nanos = Int64(padded) else { return nil }
        guard text.hasPrefix("-"), nanos > 0 else { return (whole, nanos) }
        let (seconds, overflow) = whole.subtractingReportingOverflow(1)
        return overflow ? nil : (seconds, 1_000_000_000 - nanos)
    }
}
