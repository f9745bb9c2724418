// SPDX-License-Identifier: Apache-2.0
import System
import Tar
import Testing

private func entry(_ name: String, _ kind: TarEntry.Kind = .regular, size: Int64 = 0) -> TarEntry {
    var entry = TarEntry()
    entry.name = Array(name.utf8)
    entry.kind = kind
    entry.permissions = 0o644
    entry.sizeBytes = size
    return entry
}

private func archive(_ members: [(TarEntry, [UInt8])]) throws -> [UInt8] {
    let sink = MemorySink()
    let writer = TarWriter(sink)
    for (entry, content) in members {
        try writer.add(entry)
        if !content.isEmpty { try content.withUnsafeBytes { try writer.content($0) } }
    }
    try writer.finish()
    return sink.bytes
}

private func entries(_ bytes: [UInt8]) throws -> [(TarEntry, [UInt8])] {
    let reader = TarReader(MemorySource(bytes, chunkBytes: 777))
    var result: [(TarEntry, [UInt8])] = []
    while let entry = try reader.next() { result.append((entry, try reader.wholeContent(limit: 1 << 20))) }
    return result
}

@Suite struct TarWriterTests {
    @Test func aPlainEntryIsOneBlockOfUstar() throws {
        var file = entry("dir/file", size: 3)
        (file.user, file.group, file.modifiedSeconds) = (1000, 100, 1_700_000_000)
        file.permissions = 0o4755
        let bytes = try archive([(file, Array("abc".utf8))])
        #expect(bytes.count == 512 + 512 + 1024)
        func text(_ range: Range<Int>) -> String {
            String(decoding: bytes[range].prefix { $0 != 0 }, as: UTF8.self)
        }
        #expect(text(0..<100) == "dir/file")
        #expect(text(100..<108) == "0004755")
        #expect(text(108..<116) == "0001750")
        #expect(text(116..<124) == "0000144")
        #expect(text(124..<136) == "00000000003")
        #expect(text(136..<148) == "14524770400")
        // The sum of all bytes, its own field as spaces.
        let sum = bytes[..<512].enumerated().reduce(0) {
            $0 + ((148..<156).contains($1.offset) ? 0x20 : Int($1.element))
        }
        #expect(text(148..<154) == String(sum, radix: 8).leftPadded(to: 6))
        #expect(bytes[154] == 0 && bytes[155] == 0x20)
        #expect(bytes[156] == UInt8(ascii: "0"))
        #expect(Array(bytes[257..<265]) == Array("ustar\u{0}00".utf8))
        #expect(Array(bytes[512..<516]) == Array("abc".utf8) + [0])
        #expect(bytes[516...].allSatisfy { $0 == 0 })
    }

    @Test func everythingComesBack() throws {
        var large = entry(String(repeating: "d/", count: 200) + "name", size: 1)
        (large.user, large.group) = (4_000_000_000, 3_000_000_000)
        (large.modifiedSeconds, large.modifiedNanos) = (-2, 250_000_000)
        large.attributes = [("user.a", [0, 1, 10, 61]), ("user.b", [])]
        var link = entry("link", .symbolicLink)
        link.linkTarget = Array(String(repeating: "t", count: 3_000).utf8)
        var hard = entry("hard", .hardLink)
        hard.linkTarget = Array("file".utf8)
        var device = entry("device", .blockDevice)
        (device.deviceMajor, device.deviceMinor) = (0xfff_ffff, 0x8000_0000)
        let odd: [UInt8] = [0xff, 0xfe, 0x20, 0x0a]
        var bytesName = entry("x")
        bytesName.name = odd
        let members: [(TarEntry, [UInt8])] = [
            (large, [7]), (link, []), (hard, []), (device, []), (bytesName, []),
            (entry("dir", .directory), []),
            (entry("pipe", .fifo), []),
            (entry(String(repeating: "p", count: 150) + "/" + String(repeating: "n", count: 100)), []),
        ]
        let back = try entries(try archive(members))
        #expect(back.count == members.count)
        for ((wanted, content), (found, foundContent)) in zip(members, back) {
            let isDirectory = wanted.kind == .directory
            #expect(found.name == wanted.name + (isDirectory ? [0x2f] : []))
            #expect(found.kind == wanted.kind && found.linkTarget == wanted.linkTarget)
            #expect(found.user == wanted.user && found.group == wanted.group)
            #expect(found.permissions == wanted.permissions && foundContent == content)
            #expect(found.modifiedSeconds == wanted.modifiedSeconds)
            #expect(found.modifiedNanos == wanted.modifiedNanos)
            #expect(found.deviceMajor == wanted.deviceMajor && found.deviceMinor == wanted.deviceMinor)
            let values = Dictionary(uniqueKeysWithValues: found.attributes.map { ($0.name, $0.value) })
            #expect(values == Dictionary(uniqueKeysWithValues: wanted.attributes.map { ($0.name, $0.value) }))
        }
    }

    @Test(arguments: [1, 85, 86, 87, 88, 89, 94, 95, 96, 97, 98, 99, 100, 984, 985, 986, 987, 990, 4_000])
    func lengthsOfRecordsCountThemselves(size: Int) throws {
        var file = entry("f")
        file.attributes = [("user.x", [UInt8](repeating: 0x61, count: size))]
        #expect(try entries(try archive([(file, [])])).first?.0.attributes.first?.value.count == size)
    }

    @Test func theSizeOfNoFileIsTooLarge() throws {
        let sink = MemorySink()
        let writer = TarWriter(sink)
        try writer.add(entry("huge", size: 20 << 30))
        let reader = TarReader(MemorySource(sink.bytes))
        #expect(try reader.next()?.sizeBytes == 20 << 30)
    }

    @Test func whatNoReaderTakesIsRefused() {
        #expect(throws: ArchiveError.self) { try archive([(entry(""), [])]) }
        #expect(throws: ArchiveError.self) {
            try archive([(entry(String(repeating: "n", count: 5_000)), [])])
        }
    }

    @Test func sizesAreCountedWithoutExtendedHeaders() throws {
        var file = entry("f", size: 5)
        file.modifiedNanos = 1
        let sink = MemorySink()
        let writer = TarWriter(sink)
        try writer.add(file)
        try Array("12345".utf8).withUnsafeBytes { try writer.content($0) }
        try writer.finish()
        #expect(writer.plainBytes == 2048 && sink.bytes.count == 3072)
        let reader = TarReader(MemorySource(sink.bytes))
        while try reader.next() != nil {}
        #expect(reader.plainBytes == 2048)
    }
}

extension String {
    fileprivate func leftPadded(to width: Int) -> String {
        String(repeating: "0", count: max(0, width - count)) + self
    }
}
