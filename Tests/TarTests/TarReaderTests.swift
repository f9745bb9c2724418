// SPDX-License-Identifier: Apache-2.0
import Tar
import TestSupport
import Testing

private func entries(_ bytes: [UInt8]) throws -> [TarEntry] {
    let reader = TarReader(MemorySource(bytes, chunkBytes: 511))
    var result: [TarEntry] = []
    while let entry = try reader.next() { result.append(entry) }
    return result
}

/// Sets a field of the first header and its checksum.
private func patched(_ offset: Int, _ field: [UInt8], fixSum: Bool = true) -> [UInt8] {
    var tar = TarArchive()
    tar.add(.file, "f", text: "x")
    var bytes = tar.finished
    for (index, byte) in field.enumerated() { bytes[offset + index] = byte }
    guard fixSum else { return bytes }
    for index in 148..<156 { bytes[index] = 0x20 }
    let sum = bytes[..<512].reduce(0) { $0 + Int($1) }
    let digits = String(sum, radix: 8)
    let text = String(repeating: "0", count: 6 - digits.count) + digits + "\0 "
    for (index, byte) in text.utf8.enumerated() { bytes[148 + index] = byte }
    return bytes
}

@Suite struct TarReaderTests {
    @Test func baseTwoHundredFiftySixNumbersAreRead() throws {
        let user = try entries(patched(108, [0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xfe])).first?.user
        #expect(user == 0x7fff_fffe)
        let time = try entries(patched(136, [0xff] + Array(repeating: 0xff, count: 11))).first?
            .modifiedSeconds
        #expect(time == -1)
    }

    @Test(
        "malformed archives are errors",
        arguments: [
            patched(0, [0x67], fixSum: false), patched(124, Array("99999999999".utf8)),
            patched(124, [0xff] + Array(repeating: 0xff, count: 11)), patched(124, Array("77777777777".utf8)),
            patched(108, [0x80, 0, 0, 1, 0, 0, 0, 0]), patched(156, [UInt8(ascii: "S")]),
            patched(156, [0x7e]),
            Array(patched(0, [0x67]).prefix(600)), Array(patched(0, [0x67]).prefix(100)),
            Array("this is no tar at all, whatever its name says; it is only text".utf8),
            Array(repeating: 0x41, count: 2_000),
        ]
    )
    func malformedArchivesAreErrors(bytes: [UInt8]) {
        #expect(throws: ArchiveError.self) { try entries(bytes) }
    }

    @Test(
        "malformed extended headers are errors",
        arguments: [
            "9 path=", "999 path=x\n", "x", "5 a=b\n", "12 size=-12\n", "20 GNU.sparse.map=0\n", "9 uid=zz\n",
            "11 path=a\0\n", "32 mtime=-9223372036854775808.5\n",
        ]
    )
    func malformedExtendedHeaders(text: String) {
        var tar = TarArchive()
        tar.add(.extendedHeader, "PaxHeader", text: text)
        tar.add(.file, "f", text: "x")
        #expect(throws: ArchiveError.self) { try entries(tar.finished) }
    }

    @Test func hugeExtendedHeadersAreRefusedUnread() {
        var tar = TarArchive()
        tar.add(.extendedHeader, "PaxHeader", size: 1 << 30)
        #expect(throws: ArchiveError.self) { try entries(tar.finished) }
    }

    @Test func theLastExtendedHeaderCounts() throws {
        var tar = TarArchive()
        for number in 0..<3 {
            tar.addExtendedHeader("SCHILY.xattr.user.n\(number)", [1])
        }
        tar.add(.file, "f", text: "x")
        #expect(try entries(tar.finished).first?.attributes.map(\.name) == ["user.n2"])
    }

    @Test func globalAttributesAreBounded() {
        var tar = TarArchive()
        let value = [UInt8](repeating: 1, count: 60_000)
        for number in 0..<20 {
            tar.addExtendedHeaders([("SCHILY.xattr.user.n\(number)", value)], .globalHeader)
        }
        tar.add(.file, "f", text: "x")
        #expect(throws: ArchiveError.self) { try entries(tar.finished) }
        // Setting the same again takes no more.
        var same = TarArchive()
        for _ in 0..<20 { same.addExtendedHeaders([("SCHILY.xattr.user.n", value)], .globalHeader) }
        same.add(.file, "f", text: "x")
        #expect(throws: Never.self) { try entries(same.finished) }
    }

    @Test(arguments: ["path", "linkpath"]) func namesAreBounded(key: String) {
        var tar = TarArchive()
        tar.addExtendedHeader(key, [UInt8](repeating: 0x61, count: 4_097))
        tar.add(.symbolicLink, "f", link: "g")
        #expect(throws: ArchiveError.self) { try entries(tar.finished) }
    }

    @Test func gnuTarsLongNamesAreRead() throws {
        try withTemporaryDirectory { directory in
            let name = String(repeating: "abcdefghij", count: 20)
            try succeed("sh", ["-c", "touch \(directory)/\(name) && ln -s \(name) \(directory)/l"])
            for format in ["gnu", "pax", "posix"] {
                let bytes = try succeed("tar", ["--format=\(format)", "-C", directory, "-c", "."]).stdoutBytes
                let all = try entries(bytes)
                #expect(all.contains { $0.displayName == "./" + name })
                #expect(all.contains { $0.linkTarget == Array(name.utf8) })
            }
        }
    }
}
