// SPDX-License-Identifier: Apache-2.0
import Logs
import System
import Testing

/// A spool in a directory of its own, written as the keeper does.
final class TestSpool {
    let directory: SpoolDirectory
    private let limits: SpoolLimits
    private var writer: SpoolWriter

    init(segmentBytes: UInt64 = 0, segments: Int = 0) throws {
        let random = try SystemEnvironment.randomBytes(8).map { String($0, radix: 16) }.joined()
        directory = SpoolDirectory(path: "/tmp/petrel-logs-test-\(random)")
        limits = SpoolLimits(segmentBytes: segmentBytes, segments: segments)
        writer = try SpoolWriter(directory: directory, limits: limits)
    }

    deinit { try? Files.removeTree(directory.path) }

    func write(_ text: String, _ stream: OutputStream = .standardOutput, at time: Int64 = 1) throws {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let room = try announce(stream, at: time)
            let part = rest.prefix(room)
            try Files.write(writer.data, Array(part), offset: writer.end)
            writer.advance(by: part.count)
            rest = rest.dropFirst(part.count)
        }
    }

    func announce(_ stream: OutputStream = .standardOutput, at time: Int64 = 1) throws -> Int {
        try writer.begin(stream, wallNanos: time)
    }

    /// As after a SIGKILL.
    func reopen() throws { writer = try SpoolWriter(directory: directory, limits: limits) }

    func items(from position: LogPosition = .start) throws -> [LogItem] {
        var reader = SpoolReader(directory: directory, from: position)
        var items: [LogItem] = []
        while let item = try reader.next() { items.append(item) }
        return items
    }

    func texts() throws -> [String] {
        try items().map {
            switch $0 {
            case .chunk(let chunk):
                "\(chunk.stream.rawValue)@\(chunk.wallNanos):\(String(decoding: chunk.bytes, as: UTF8.self))"
            case .gap: "gap"
            }
        }
    }

    func lines(_ selection: LogSelection = LogSelection()) throws -> [String] {
        var reader = try LineReader(directory, selection)
        var items: [LineReader.Item] = []
        while true {
            let batch = try reader.next()
            if batch.isEmpty { break }
            items += batch
        }
        return (items + reader.finish()).map {
            switch $0 {
            case .line(let line): "\(line.stream.rawValue):" + String(decoding: line.bytes, as: UTF8.self)
            case .gap: "gap"
            }
        }
    }
}

struct SpoolTests {
    @Test func chunksHaveTheirStreamAndTime() throws {
        let spool = try TestSpool()
        try spool.write("a", at: 1)
        try spool.write("b", .standardError, at: 2)
        try spool.write("c", at: 3)
        #expect(try spool.texts() == ["1@1:a", "2@2:b", "1@3:c"])
    }

    @Test func recordsWithoutDataAreReplacedByTheNext() throws {
        let spool = try TestSpool()
        try spool.write("a", at: 1)
        _ = try spool.announce(.standardError, at: 2)
        #expect(try spool.texts() == ["1@1:a"])
        try spool.write("b", at: 3)
        #expect(try spool.texts() == ["1@1:a", "1@3:b"])
        _ = try spool.announce(.standardError, at: 4)
        try spool.reopen()
        try spool.write("c", at: 5)
        #expect(try spool.texts() == ["1@1:a", "1@3:b", "1@5:c"])
    }

    @Test func aTornIndexRecordIsCut() throws {
        let spool = try TestSpool()
        try spool.write("a", at: 1)
        let index = try Files.open(spool.directory.indexPath(1), .readWrite)
        try Files.write(index.raw, [1, 2, 3], offset: 32)
        #expect(try spool.texts() == ["1@1:a"])
        try spool.reopen()
        try spool.write("b", .standardError, at: 2)
        #expect(try spool.texts() == ["1@1:a", "2@2:b"])
    }

    @Test func aDamagedRecordsBytesCountAsTheOnesBefore() throws {
        let spool = try TestSpool()
        for (place, text) in ["a", "b", "c"].enumerated() {
            try spool.write(text, .standardError, at: Int64(place))
        }
        let index = try Files.open(spool.directory.indexPath(1), .readWrite)
        try Files.write(index.raw, [0xff], offset: 32 + 8)
        #expect(try spool.texts() == ["2@0:ab", "2@2:c"])
    }

    @Test func dataWithoutAnyIndexIsStillRead() throws {
        let spool = try TestSpool()
        try spool.write("lost index", .standardError, at: 2)
        try Files.unlink(spool.directory.indexPath(1))
        #expect(try spool.texts() == ["1@0:lost index"])
    }

    @Test func segmentsAreBoundedInSizeAndNumber() throws {
        let spool = try TestSpool(segmentBytes: 4096, segments: 3)
        for _ in 0..<10 { try spool.write(String(repeating: "x", count: 3000)) }
        let segments = try spool.directory.segments()
        #expect(segments == [6, 7, 8])
        for segment in segments.dropLast() {
            let file = try Files.open(spool.directory.dataPath(segment), .readOnly)
            #expect(try Files.size(of: file.raw) == 4096)
        }
    }

    @Test func aReaderOutrunByDeletionIsToldOfTheGap() throws {
        let spool = try TestSpool(segmentBytes: 4096, segments: 2)
        try spool.write(String(repeating: "a", count: 100))
        var reader = SpoolReader(directory: spool.directory)
        _ = try reader.next()
        try spool.write(String(repeating: "b", count: 5 * 4096))
        var gaps = 0
        while let item = try reader.next() { if case .gap = item { gaps += 1 } }
        #expect(gaps == 1)
    }

    @Test func nothingAskedForIsTheStandard() {
        #expect(SpoolLimits() == SpoolLimits.standard)
        #expect(SpoolLimits(segmentBytes: 8192) == SpoolLimits(segmentBytes: 8192, segments: 5))
    }

    @Test func theEndIsThatOfTheLastSegment() throws {
        #expect(try SpoolDirectory(path: "/tmp/petrel-logs-test-none").end() == .start)
        let spool = try TestSpool(segmentBytes: 4096, segments: 3)
        #expect(try spool.directory.end() == LogPosition(segment: 1, offset: 0))
        try spool.write(String(repeating: "x", count: 4096 + 7))
        #expect(try spool.directory.end() == LogPosition(segment: 2, offset: 7))
    }

    @Test(arguments: [0, 10, 4096, 4097, 10_000])
    func aReaderEndsWhereItWasToldHoweverFastItsWriterIs(before: Int) throws {
        let spool = try TestSpool(segmentBytes: 4096, segments: 100_000)
        try spool.write(String(repeating: "a", count: before))
        var reader = SpoolReader(directory: spool.directory, to: try spool.directory.end())
        var seen: [UInt8] = []
        try spool.write(String(repeating: "b", count: 100))
        while seen.count <= before, let item = try reader.next(limit: 1000) {
            guard case .chunk(let chunk) = item else { throw SystemError("gap", code: 1) }
            seen += chunk.bytes
            try spool.write(String(repeating: "b", count: 2000))
        }
        #expect(seen == [UInt8](repeating: 0x61, count: before))
        // It goes on when it is told so.
        reader.end = nil
        let further = try reader.next()
        #expect(further != nil)
    }

    @Test func aReaderWhoseEndWasDeletedStops() throws {
        let spool = try TestSpool(segmentBytes: 4096, segments: 2)
        try spool.write("a")
        var reader = SpoolReader(directory: spool.directory, from: .start, to: try spool.directory.end())
        try spool.write(String(repeating: "b", count: 5 * 4096))
        let item = try reader.next()
        #expect(item == nil)
    }

    @Test func readingGoesOnAtAPosition() throws {
        let spool = try TestSpool()
        for number in 0..<2000 { try spool.write("line \(number)\n", at: Int64(number)) }
        let all = try spool.items()
        guard case .chunk(let middle) = all[1234] else { throw SystemError("chunk", code: 1) }
        #expect(try spool.items(from: middle.position).count == all.count - 1234)
        #expect(try spool.items(from: middle.position).first == all[1234])
    }

    @Test func aFollowerSeesEachByteOnceWhileItIsWritten() throws {
        let spool = try TestSpool(segmentBytes: 8192, segments: 100)
        var reader = SpoolReader(directory: spool.directory)
        var seen: [UInt8] = []
        for number in 0..<3000 {
            try spool.write("\(number)\n", number % 3 == 0 ? .standardError : .standardOutput)
            if number % 7 == 0 {
                while case .chunk(let chunk)? = try reader.next(limit: 5) { seen += chunk.bytes }
            }
        }
        while case .chunk(let chunk)? = try reader.next() { seen += chunk.bytes }
        #expect(seen == Array((0..<3000).map { "\($0)\n" }.joined().utf8))
    }
}

struct LineTests {
    @Test func linesOfTwoStreamsDoNotTearEachOther() throws {
        let spool = try TestSpool()
        try spool.write("begin ")
        try spool.write("error\n", .standardError)
        try spool.write("end\nrest")
        #expect(try spool.lines() == ["2:error\n", "1:begin end\n", "1:rest"])
    }

    @Test func longLinesComeInPieces() throws {
        let spool = try TestSpool()
        try spool.write(String(repeating: "x", count: LineAssembler.maximumLineBytes + 10) + "\n")
        var reader = try LineReader(spool.directory, LogSelection())
        let lines = try reader.next().compactMap { item -> LogLine? in
            if case .line(let line) = item { line } else { nil }
        }
        #expect(lines.map(\.bytes.count) == [LineAssembler.maximumLineBytes, 11])
        #expect(lines.map(\.isContinuation) == [false, true])
    }

    @Test(arguments: [0, 1, 2, 5, 999, 1000, 1001, 5000])
    func tailCountsBackwards(count: Int) throws {
        let spool = try TestSpool(segmentBytes: 4096, segments: 100)
        for number in 0..<1000 { try spool.write("\(number)\n") }
        #expect(try spool.lines(LogSelection(tail: count)) == (0..<1000).suffix(count).map { "1:\($0)\n" })
    }

    @Test func tailWithALineThatBeganBeforeTheOtherStreams() throws {
        let spool = try TestSpool()
        try spool.write("1\n2 begins, ")
        try spool.write("a\nb\n", .standardError)
        try spool.write("2 ends\n")
        try spool.write("c\n", .standardError)
        #expect(try spool.lines(LogSelection(tail: 2)) == ["1:2 begins, 2 ends\n", "2:c\n"])
        #expect(try spool.lines(LogSelection(tail: 3)) == ["2:b\n", "1:2 begins, 2 ends\n", "2:c\n"])
    }

    @Test func tailCountsALineWithoutItsEnd() throws {
        let spool = try TestSpool()
        try spool.write("1\n2\n3")
        #expect(try spool.lines(LogSelection(tail: 2)) == ["1:2\n", "1:3"])
    }

    @Test func timesAndStreamsSelect() throws {
        let spool = try TestSpool()
        for number in 0..<10 {
            try spool.write(
                "\(number)\n",
                number % 2 == 0 ? .standardOutput : .standardError,
                at: Int64(number)
            )
        }
        #expect(try spool.lines(LogSelection(sinceNanos: 3, untilNanos: 5)) == ["2:3\n", "1:4\n", "2:5\n"])
        #expect(
            try spool.lines(LogSelection(streams: [.standardError], sinceNanos: 6)) == ["2:7\n", "2:9\n"]
        )
    }
}
