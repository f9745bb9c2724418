// SPDX-License-Identifier: Apache-2.0
import Logs
import System
import TestSupport
import Testing

@testable import EngineCore

struct OutputTests {
    private func chunk(
        _ text: String,
        at offset: UInt64 = 0,
        time: Int64 = 1_000_000_000,
        _ stream: OutputStream = .standardOutput
    ) -> LogChunk {
        LogChunk(
            stream: stream,
            wallNanos: time,
            bytes: Array(text.utf8),
            position: LogPosition(segment: 1, offset: offset)
        )
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func withoutWishesBytesPassAsTheyAre() {
        var renderer = OutputRenderer(query: OutputQuery(), place: OutputPlace(position: .start))
        #expect(text(renderer.render(chunk("a\nb"))) == "a\nb")
        #expect(renderer.place == OutputPlace(position: LogPosition(segment: 1, offset: 3), output: .shown))
    }

    @Test func timesStandAtTheBeginningOfLinesOnly() {
        var query = OutputQuery()
        query.timestamps = true
        var renderer = OutputRenderer(query: query, place: OutputPlace(position: .start))
        let time = "1970-01-01T00:00:01.000000000Z "
        #expect(text(renderer.render(chunk("a\nb"))) == "\(time)a\n\(time)b")
        #expect(text(renderer.render(chunk("E\n", at: 3, .standardError))) == "\(time)E\n")
        #expect(text(renderer.render(chunk("c\n\n", at: 5))) == "c\n\(time)\n")
        // Another reader goes on in the middle of a line.
        var later = OutputRenderer(query: query, place: OutputPlace(position: .start, output: .shown))
        #expect(text(later.render(chunk("c\n"))) == "c\n")
    }

    @Test func detailsStandAfterTheTime() throws {
        func details(_ options: [String: String]) throws -> LogDetails {
            var settings = ContainerSettings()
            settings.image = "i"
            settings.command = ["x"]
            settings.labels = ["team": "a b", "tier": "1,2", "other": "no", "tier.x": "y", "none": ""]
            settings.environment = ["ZONE=eu=1", "HOME=/root"]
            settings.log.options = options
            let id = try #require(ContainerID(String(repeating: "a", count: 64)))
            let resolved = try ResolvedConfiguration(
                settings: settings,
                image: ImageDefaults(),
                id: id,
                hostName: "h"
            )
            let row = ContainerRow(
                id: id,
                name: "web",
                state: .created,
                imageID: "sha256:" + String(repeating: "b", count: 64),
                settings: settings,
                resolved: resolved,
                createdAtUnixNanos: 1,
                isSettled: true,
                boot: "",
                isLaunched: false
            )
            return try LogDetails(of: row)
        }
        #expect(
            try details(["tag": "{{.Name}} {{ .ID }}-{{.ImageName}}/{{.ImageID}}"]).text
                == "tag=web+aaaaaaaaaaaa-i%2F" + String(repeating: "b", count: 12)
        )
        let all = try details(["labels": "team, tier.x,tier,absent,none", "env": "ZONE,NOBODY"])
        #expect(all.text == "ZONE=eu%3D1,none=,team=a+b,tier=1%2C2,tier.x=y")
        var query = OutputQuery()
        query.timestamps = true
        let place = OutputPlace(position: .start)
        var renderer = OutputRenderer(query: query, place: place, details: all)
        let time = "1970-01-01T00:00:01.000000000Z "
        #expect(text(renderer.render(chunk("a\nb"))) == "\(time)\(all.text) a\n\(time)\(all.text) b")
        // Where nothing is named, the space stays, as with Docker.
        var bare = OutputRenderer(query: OutputQuery(), place: place, details: try details([:]))
        #expect(text(bare.render(chunk("a\n"))) == " a\n")
    }

    @Test func aLineCountsByItsFirstByte() {
        var query = OutputQuery()
        query.sinceUnixNanos = 2_000_000_000
        var renderer = OutputRenderer(query: query, place: OutputPlace(position: .start))
        #expect(text(renderer.render(chunk("old beg"))) == "")
        #expect(text(renderer.render(chunk("in\nnew", at: 7, time: 3_000_000_000))) == "new")
        #expect(text(renderer.render(chunk("er\n", at: 13, time: 3_000_000_000))) == "er\n")
    }

    @Test func streamsAreChosen() {
        var query = OutputQuery()
        query.standardOutput = false
        var renderer = OutputRenderer(query: query, place: OutputPlace(position: .start))
        #expect(renderer.render(chunk("out")).isEmpty)
        #expect(text(renderer.render(chunk("err", .standardError))) == "err")
    }

    @Test func positionsAreReadBack() throws {
        let place = OutputPlace(position: LogPosition(segment: 3, offset: 99), output: .shown, error: .hidden)
        #expect(try OutputPlace(place.text) == place)
        for text in ["", "1", "1:2", "1:2:3", "1:2:99", "a:b:00", "1:2:00:4"] {
            #expect(throws: EngineError.badPosition(text)) { try OutputPlace(text) }
        }
    }

    @Test(
        arguments: [
            (LogPosition(segment: 1, offset: 10), LogPosition(segment: 2, offset: 0), 4096, 4086),
            (LogPosition(segment: 1, offset: 4096), LogPosition(segment: 3, offset: 0), 4096, 4096),
            (LogPosition(segment: 2, offset: 0), LogPosition(segment: 102, offset: 0), 64 << 20, 6400 << 20),
            (LogPosition(segment: 1, offset: 5000), LogPosition(segment: 2, offset: 0), 4096, 1),
            (.start, LogPosition(segment: .max, offset: 0), 4096, .max),
        ] as [(LogPosition, LogPosition, UInt64, UInt64)]
    )
    func whatRotationTookIsCountedInTheContainersOwnSegments(
        _ from: LogPosition,
        _ to: LogPosition,
        _ segmentBytes: UInt64,
        _ skipped: UInt64
    ) {
        #expect(OutputReading.skippedBytes(from: from, to: to, segmentBytes: segmentBytes) == skipped)
    }

    /// Writes segments as a keeper does.
    private func spool(_ segments: [[(OutputStream, String)]], in directory: String) throws -> SpoolDirectory
    {
        for (number, pieces) in segments.enumerated() {
            var data: [UInt8] = []
            var index: [UInt8] = []
            for (stream, text) in pieces {
                index += IndexRecord(offset: UInt64(data.count), wallNanos: 1, stream: stream).bytes
                data += Array(text.utf8)
            }
            try Files.replace("\(directory)/\(number + 1).data", with: data)
            try Files.replace("\(directory)/\(number + 1).index", with: index)
        }
        return SpoolDirectory(path: directory)
    }

    private func rest(of directory: SpoolDirectory, _ query: OutputQuery, from place: OutputPlace) throws
        -> String
    {
        var renderer = OutputRenderer(query: query, place: place)
        var reader = SpoolReader(directory: directory, from: place.position)
        var result: [UInt8] = []
        while let item = try reader.next() {
            if case .chunk(let chunk) = item { result += renderer.render(chunk) }
        }
        return text(result)
    }

    @Test(
        arguments: [
            (0, ""), (1, "6\n"), (2, "five\n6\n"), (3, "E1\nfive\n6\n"), (5, "3\n4\nE1\nfive\n6\n"),
            (7, "1\n2\n3\n4\nE1\nfive\n6\n"), (50, "1\n2\n3\n4\nE1\nfive\n6\n"),
        ] as [(UInt64, String)]
    )
    func theLastLinesAreFound(_ count: UInt64, _ result: String) throws {
        try withTemporaryDirectory { path in
            let directory = try spool(
                [
                    [(.standardOutput, "1\n2\n"), (.standardOutput, "3\n")],
                    [
                        (.standardOutput, "4\n"), (.standardError, "E1\n"), (.standardOutput, "fi"),
                        (.standardOutput, "ve\n6\n"),
                    ],
                ],
                in: path
            )
            let query = OutputQuery()
            let end = try directory.end()
            let place = try TailSearch(directory: directory, query: query, end: end).start(lines: count)
            #expect(try rest(of: directory, query, from: place) == result)
        }
    }

    @Test func theLastLinesOfMuchOutputAreFound() throws {
        try withTemporaryDirectory { path in
            let lines = (0..<60_000).map { "line number \($0)\n" }
            let directory = try spool([[(.standardOutput, lines.joined())]], in: path)
            for count in [1, 7, 30_000, 59_999] {
                let query = OutputQuery()
                let search = TailSearch(directory: directory, query: query, end: try directory.end())
                let place = try search.start(lines: UInt64(count))
                #expect(try rest(of: directory, query, from: place) == lines.suffix(count).joined())
            }
        }
    }

    @Test func theOtherStreamsLinesDoNotCount() throws {
        try withTemporaryDirectory { path in
            let directory = try spool(
                [[(.standardOutput, "a\nb\n"), (.standardError, "x\ny\n"), (.standardOutput, "c")]],
                in: path
            )
            var query = OutputQuery()
            query.standardError = false
            let end = try directory.end()
            let place = try TailSearch(directory: directory, query: query, end: end).start(lines: 2)
            #expect(try rest(of: directory, query, from: place) == "b\nc")
        }
    }

    @Test(
        arguments: [(0, "5\n6\n"), (1, "4\n5\n6\n"), (2, "3\n4\n5\n6\n"), (9, "1\n2\n3\n4\n5\n6\n")]
            as [(UInt64, String)]
    )
    func theLastLinesAreThoseBeforeTheEnd(_ count: UInt64, _ result: String) throws {
        try withTemporaryDirectory { path in
            let segments = [[(OutputStream.standardOutput, "1\n2\n3\n")], [(.standardOutput, "4\n5\n")]]
            let directory = try spool(segments + [[(.standardOutput, "6\n")]], in: path)
            let query = OutputQuery()
            let end = LogPosition(segment: 2, offset: 2)
            let place = try TailSearch(directory: directory, query: query, end: end).start(lines: count)
            #expect(try rest(of: directory, query, from: place) == result)
        }
    }

    @Test func framesAreTakenApartWhereverTheyAreCut() {
        func frame(_ stream: UInt8, _ text: String) -> [UInt8] {
            [stream, 0, 0, 0, 0, 0, 0, UInt8(text.utf8.count)] + Array(text.utf8)
        }
        let state: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 16, 1, 2, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0]
        let bytes = frame(1, "hello") + state + frame(2, "") + frame(2, "oops") + frame(1, "!") + frame(3, "")
        for size in 1...bytes.count {
            var decoder = FrameDecoder()
            var texts: [UInt32: String] = [:]
            var others: [FrameDecoder.Piece] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                for piece in decoder.feed(Array(bytes[start..<min(bytes.count, start + size)])) {
                    if case .output(let stream, let bytes) = piece {
                        texts[stream, default: ""] += text(bytes)
                    } else {
                        others.append(piece)
                    }
                }
            }
            #expect(others == [.input(accepted: 513, delivered: 3), .endOfOutput])
            #expect(texts == [1: "hello!", 2: "oops"], "cut every \(size) bytes")
        }
    }
}
