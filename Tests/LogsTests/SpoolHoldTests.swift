// SPDX-License-Identifier: Apache-2.0
import System
import TestSupport
import Testing

@testable import Logs

/// A writer with room for two segments of 4 KiB, and readers that it is to wait for.
struct SpoolHoldTests {
    private static let full = String(repeating: "x", count: 4096)

    private func withFullSpool(
        expectsReader: Bool = false,
        heldBytes: UInt64 = 0,
        _ body: (SpoolDirectory, inout SpoolWriter) throws -> Void
    ) throws {
        try withTemporaryDirectory { path in
            let directory = SpoolDirectory(path: path + "/spool")
            var writer = try SpoolWriter(
                directory: directory,
                limits: SpoolLimits(segmentBytes: 4096, segments: 2, heldBytes: heldBytes),
                expectsReader: expectsReader
            )
            for _ in 1...2 { try fill(&writer) }
            try body(directory, &writer)
        }
    }

    private func fill(_ writer: inout SpoolWriter) throws {
        #expect(try begin(&writer) == 4096)
        try Files.write(writer.data, Array(Self.full.utf8), offset: writer.end)
        writer.advance(by: 4096)
    }

    private func begin(_ writer: inout SpoolWriter, waits: Bool = true) throws -> Int {
        try writer.begin(.standardOutput, wallNanos: 1, waits: waits)
    }

    @Test func aWriterWaitsForTheSlowestReader() throws {
        try withFullSpool { directory, writer in
            var slow = try SpoolHold.begin(in: directory, from: 1)
            var fast = try SpoolHold.begin(in: directory, from: 1)
            try fast.move(to: 2)
            #expect(try begin(&writer) == 0)
            #expect(try directory.segments() == [1, 2])
            try slow.move(to: 2)
            try fill(&writer)
            #expect(try directory.segments() == [2, 3])
            // Backwards is no news.
            try fast.move(to: 1)
            #expect(fast.segment == 2)
            #expect(try begin(&writer) == 0)
        }
    }

    /// The engine looks, and the keeper, and neither is to take the other for the reader.
    @Test func aHoldIsLeftWhoeverElseLooks() throws {
        try withFullSpool { directory, _ in
            var hold = try SpoolHold.begin(in: directory, from: 1)
            #expect(!SpoolHold.isLeft(in: directory))
            hold.leave()
            _ = consume hold
            let name = try #require(Files.names(in: directory.holdsPath).first)
            let file = try Files.open("\(directory.holdsPath)/\(name)", .writeOnly)
            #expect(try FileLocks.trySharedLock(file.raw))
            #expect(SpoolHold.isLeft(in: directory))
            try file.close()
            let isTakenUp = SpoolHold.takeUp(in: directory, at: 1) != nil
            #expect(isTakenUp)
        }
    }

    /// What is on its way to a reader may be more than what is kept otherwise.
    @Test func moreIsKeptForAReaderBeforeHeIsWaitedFor() throws {
        try withFullSpool(heldBytes: 4 * 4096) { directory, writer in
            var hold = try SpoolHold.begin(in: directory, from: 1)
            for _ in 3...4 { try fill(&writer) }
            #expect(try begin(&writer) == 0)
            #expect(try directory.segments() == [1, 2, 3, 4])
            try hold.move(to: 4)
            try fill(&writer)
            #expect(try directory.segments() == [4, 5])
        }
    }

    @Test func aReaderThatEndsIsNotWaitedFor() throws {
        try withFullSpool { directory, writer in
            do {
                let hold = try SpoolHold.begin(in: directory, from: 1)
                #expect(try begin(&writer) == 0)
                _ = consume hold
            }
            try fill(&writer)
            #expect(try Files.names(in: directory.path + "/held") == [])
        }
    }

    @Test func whatIsHeldStaysBeyondTheLimitWhereTheWriterMayNotWait() throws {
        try withFullSpool { directory, writer in
            var hold = try SpoolHold.begin(in: directory, from: 1)
            #expect(try begin(&writer, waits: false) == 4096)
            #expect(try directory.segments() == [1, 2, 3])
            try hold.move(to: 3)
            try Files.write(writer.data, Array(Self.full.utf8), offset: writer.end)
            writer.advance(by: 4096)
            try fill(&writer)
            #expect(try directory.segments() == [3, 4])
        }
    }

    @Test func aReaderThatIsExpectedIsWaitedForUntilHeHasCome() throws {
        try withFullSpool(expectsReader: true) { directory, writer in
            #expect(try begin(&writer) == 0)
            do {
                let hold = try SpoolHold.begin(in: directory, from: 1)
                #expect(try begin(&writer) == 0)
                _ = consume hold
            }
            try fill(&writer)
        }
        try withFullSpool(expectsReader: true) { _, writer in
            writer.expectNobody()
            try fill(&writer)
        }
    }

    /// As after the end of a process: the file is there, and nobody has its lock.
    @Test func whatAReaderLeavesIsTakenUp() throws {
        try withFullSpool { directory, writer in
            try Files.makeDirectories(directory.path + "/held", mode: 0o700)
            try Files.replace(directory.path + "/held/left.1", with: [])
            try Files.replace(directory.path + "/held/no-number", with: [])
            #expect(try begin(&writer) == 0)
            do {
                let other = try SpoolHold.begin(in: directory, from: 1)
                guard let taken = SpoolHold.takeUp(in: directory, at: 1) else {
                    Issue.record("not taken")
                    return
                }
                #expect(taken.segment == 1)
                // There is no third one, and none that is as far back.
                if SpoolHold.takeUp(in: directory, at: 1) != nil { Issue.record("taken twice") }
                _ = consume other
                _ = consume taken
            }
            if SpoolHold.takeUp(in: directory, at: 0) != nil { Issue.record("taken too early") }
            try fill(&writer)
        }
    }

    @Test func patienceHasAnEnd() throws {
        try withTemporaryDirectory { path in
            let directory = SpoolDirectory(path: path)
            var holds = SpoolHolds(directory, expectsReader: true, nowBootNanos: 5)
            #expect(holds.first(nowBootNanos: 9_999_999_999) == 0)
            #expect(holds.first(nowBootNanos: 10_000_000_005) == nil)
            try Files.makeDirectory(path + "/held")
            try Files.replace(path + "/held/left.7", with: [])
            // From when it was first seen without its process.
            #expect(holds.first(nowBootNanos: 20_000_000_000) == 7)
            #expect(holds.first(nowBootNanos: 79_999_999_999) == 7)
            #expect(holds.first(nowBootNanos: 80_000_000_000) == nil)
            #expect(try Files.names(in: path + "/held") == [])
        }
    }

    /// As an engine that stops leaves it for the next one.
    @Test func whatIsLeftOnPurposeIsFound() throws {
        try withTemporaryDirectory { path in
            let directory = SpoolDirectory(path: path)
            do {
                var hold = try SpoolHold.begin(in: directory, from: 3)
                #expect(!SpoolHold.isLeft(in: directory))
                hold.leave()
                _ = consume hold
            }
            #expect(SpoolHold.isLeft(in: directory))
            let taken = SpoolHold.takeUp(in: directory, at: 4)
            #expect(!SpoolHold.isLeft(in: directory))
            _ = consume taken
            #expect(try Files.names(in: path + "/held") == [])
        }
    }
}
