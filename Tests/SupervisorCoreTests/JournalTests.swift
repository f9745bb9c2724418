// SPDX-License-Identifier: Apache-2.0
import Events
import SupervisorCore
import System
import TestSupport
import Testing

struct JournalTests {
    private static func event(_ number: UInt64, container: String = "c", _ action: Event.Action = .start)
        -> Event
    {
        Event(
            wallUnixNanos: Clock.wallNanos,
            bootNanos: 1,
            owner: "test",
            container: container,
            action: action,
            number: number
        )
    }

    private static func open(
        _ path: String,
        _ limits: Journal.Limits = .init(),
        boot: String = "boot"
    ) throws -> Journal {
        try Journal(directory: path, bootID: boot, remaining: [], thread: try SerialThread(), limits: limits)
    }

    private static func all(_ journal: Journal, after sequence: UInt64 = 0) async throws -> [Event] {
        var cursor = try await journal.cursor(after: sequence, journal: "")
        var events: [Event] = []
        let last = await journal.lastSequence
        while cursor.sequence < last {
            let batch = try await journal.next(cursor)
            events += batch.events
            cursor = batch.cursor
        }
        return events
    }

    @Test func eventsAreThereOnceAndInOrderOverRestarts() async throws {
        try await withTemporaryDirectory { path in
            let first = try Self.open(path)
            try await first.append([Self.event(1), Self.event(2)])
            try await first.append([Self.event(2), Self.event(3)])
            let second = try Self.open(path)
            #expect(second.id == first.id)
            try await second.append([Self.event(3), Self.event(4)])
            let events = try await Self.all(second)
            #expect(events.map(\.sequence) == [1, 2, 3, 4])
            #expect(events.map(\.number) == [1, 2, 3, 4])
        }
    }

    @Test(arguments: [1, 5, 20])
    func aTornEndIsCutOff(bytes: Int) async throws {
        try await withTemporaryDirectory { path in
            let first = try Self.open(path)
            try await first.append([Self.event(1), Self.event(2)])
            let name = try #require(try Files.names(in: path).first { $0.hasSuffix(".events") })
            let file = try Files.open("\(path)/\(name)", .readWrite)
            try Files.truncate(file.raw, toBytes: try Files.size(of: file.raw) - Int64(bytes))
            let second = try Self.open(path)
            #expect(second.damage.count == 1)
            #expect(await second.lastSequence == 1)
            try await second.append([Self.event(2), Self.event(3)])
            #expect(try await Self.all(second).map(\.number) == [1, 2, 3])
        }
    }

    @Test func whatIsAcknowledgedGoesWhenThereIsTooMuch() async throws {
        try await withTemporaryDirectory { path in
            var limits = Journal.Limits()
            (limits.segmentBytes, limits.softBytes, limits.hardBytes) = (200, 1_000, 3_000)
            let journal = try Self.open(path, limits)
            try await journal.append([Self.event(1)])
            try await journal.acknowledge(owner: "slow", sequence: 1, journal: journal.id)
            for number in UInt64(2)...30 { try await journal.append([Self.event(number)]) }
            #expect(try await Self.all(journal).count > 15)
            try await journal.acknowledge(owner: "slow", sequence: 30, journal: "")
            await #expect(throws: SupervisorError.self) {
                _ = try await journal.cursor(after: 1, journal: "")
            }
            // Beyond the hard limit nobody is waited for.
            for number in UInt64(31)...200 { try await journal.append([Self.event(number)]) }
            await #expect(throws: SupervisorError.self) {
                _ = try await journal.cursor(after: 31, journal: "")
            }
            // The numbers are known although their events are gone.
            let again = try Self.open(path, limits)
            try await again.append([Self.event(5), Self.event(201)])
            #expect(await again.lastSequence == 201)
        }
    }

    /// What the machine's end took from the journal may have reached an owner: those numbers do not come again.
    @Test func numbersGoOnWithAGapAfterABoot() async throws {
        try await withTemporaryDirectory { path in
            let first = try Self.open(path)
            try await first.append([Self.event(1), Self.event(2), Self.event(3)])
            let name = try #require(try Files.names(in: path).first { $0.hasSuffix(".events") })
            let file = try Files.open("\(path)/\(name)", .readWrite)
            try Files.truncate(file.raw, toBytes: try Files.size(of: file.raw) - 1)
            // One reader had the lost event, another only the first.
            let second = try Self.open(path, boot: "next")
            let ahead = try await second.cursor(after: 3, journal: first.id)
            let behind = try await second.cursor(after: 1, journal: first.id)
            async let waited = second.next(ahead)
            try await second.append([Self.event(4)])
            let new = try await waited.events
            #expect(new.map(\.number) == [4] && new[0].sequence > 1000)
            let rest = try await second.next(behind)
            let last = try await second.next(rest.cursor)
            #expect((rest.events + last.events).map(\.number) == [2, 4])
            // Boots without events leave nothing behind, and one boot makes one gap.
            _ = try Self.open(path, boot: "third")
            _ = try Self.open(path, boot: "fourth")
            let fourth = try Self.open(path, boot: "fourth")
            #expect(try Files.names(in: path).filter { $0.hasSuffix(".events") }.count == 3)
            try await fourth.append([Self.event(5)])
            let position = await fourth.lastSequence
            #expect(try await Self.all(fourth, after: 1).map(\.number) == [2, 4, 5])
            #expect(position > new[0].sequence + 1000)
        }
    }

    /// The last file came back from the machine's end with nothing in it.
    @Test func anEmptiedSegmentLeavesAGapToo() async throws {
        try await withTemporaryDirectory { path in
            let first = try Self.open(path)
            try await first.append([Self.event(1)])
            let second = try Self.open(path, boot: "second")
            try await second.append([Self.event(2)])
            let seen = await second.lastSequence
            let name = try #require(try Files.names(in: path).filter { $0.hasSuffix(".events") }.max())
            let file = try Files.open("\(path)/\(name)", .readWrite)
            try Files.truncate(file.raw, toBytes: 0)
            let third = try Self.open(path, boot: "third")
            let cursor = try await third.cursor(after: seen, journal: first.id)
            async let next = third.next(cursor)
            try await third.append([Self.event(3)])
            #expect(try await next.events.map(\.number) == [3])
            #expect(try await Self.all(third).map(\.number) == [1, 3])
        }
    }

    /// An owner who has read everything before a gap finds what is behind it, whatever is trimmed.
    @Test func whatIsBeforeAGapStaysUntilSomebodyIsBehindIt() async throws {
        try await withTemporaryDirectory { path in
            var limits = Journal.Limits()
            limits.segmentBytes = 1
            limits.softBytes = 1
            let first = try Self.open(path)
            try await first.append([Self.event(1)])
            try await first.acknowledge(owner: "test", sequence: 1, journal: "")
            let second = try Self.open(path, limits, boot: "second")
            try await second.append([Self.event(2)])
            try await second.append([Self.event(3)])
            let cursor = try await second.cursor(after: 1, journal: first.id)
            #expect(try await second.next(cursor).events.map(\.number) == [2])
            let last = await second.lastSequence
            try await second.acknowledge(owner: "test", sequence: last, journal: "")
            #expect(try await Self.all(second, after: last - 1).map(\.number) == [3])
        }
    }

    @Test func anotherJournalsSequenceIsRefused() async throws {
        try await withTemporaryDirectory { path in
            let journal = try Self.open(path)
            await #expect(throws: SupervisorError.otherJournal(id: journal.id)) {
                _ = try await journal.cursor(after: 0, journal: "another")
            }
            await #expect(throws: SupervisorError.eventsGone(oldest: 1)) {
                _ = try await journal.cursor(after: 7, journal: journal.id)
            }
        }
    }

    @Test func aReaderWaitsForWhatComes() async throws {
        try await withTemporaryDirectory { path in
            let journal = try Self.open(path)
            let cursor = try await journal.cursor(after: 0, journal: "")
            async let batch = journal.next(cursor)
            try await journal.append([Self.event(1)])
            #expect(try await batch.events.map(\.number) == [1])
        }
    }

    @Test func exitsOfRemovedContainersAreAnsweredAfterARestart() async throws {
        try await withTemporaryDirectory { path in
            let first = try Self.open(path)
            var gone = Self.event(1, .delete)
            gone.exit = ExitStatus(code: 7, atUnixNanos: 5)
            try await first.append([gone])
            let second = try Self.open(path)
            #expect(try await second.removal(of: "c", owner: "test")?.exit?.code == 7)
            #expect(try await second.removal(of: "c", owner: "other") == nil)
        }
    }

    /// Each is found where it is, in whatever segment, among events that came in one piece with it.
    @Test func exitsOfManyRemovedContainersAreAnswered() async throws {
        try await withTemporaryDirectory { path in
            var limits = Journal.Limits()
            limits.segmentBytes = 2000
            let journal = try Self.open(path, limits)
            for round: UInt32 in 0..<20 {
                try await journal.append(
                    (0..<5).flatMap { (place: UInt32) in
                        var gone = Self.event(2, container: "c\(round)-\(place)", .delete)
                        gone.exit = ExitStatus(code: round * 5 + place, atUnixNanos: 5)
                        return [Self.event(1, container: gone.container), gone]
                    }
                )
            }
            for journal in [journal, try Self.open(path, limits)] {
                for round: UInt32 in 0..<20 {
                    for place: UInt32 in 0..<5 {
                        let found = try await journal.removal(of: "c\(round)-\(place)", owner: "test")
                        #expect(found?.exit?.code == round * 5 + place)
                        #expect(journal.mayHaveRemoved("c\(round)-\(place)"))
                    }
                }
                #expect(try await journal.removal(of: "c20-0", owner: "test") == nil)
                #expect(!journal.mayHaveRemoved("c20-0"))
            }
        }
    }

    /// Of what is not there any more nothing is told again; of what is, a number is passed over that is there.
    @Test func numbersAreKeptOfWhatRemains() async throws {
        try await withTemporaryDirectory { path in
            let first = try Self.open(path)
            for container in ["gone", "going", "there"] {
                try await first.append([Self.event(1, container: container)])
                if container == "there" { continue }
                try await first.append([Self.event(2, container: container, .delete)])
            }
            let second = try Journal(
                directory: path,
                bootID: "boot",
                remaining: ["going", "there"],
                thread: try SerialThread()
            )
            try await second.append(["going", "there"].map { Self.event(1, container: $0) })
            #expect(try await Self.all(second).count == 5)
            #expect(try await second.removal(of: "gone", owner: "test") != nil)
            try await second.append([Self.event(1, container: "gone")])
            #expect(try await Self.all(second).count == 6)
        }
    }

    /// A journal is read in pieces, and an event is longer than one.
    @Test func longEventsAreReadAgain() async throws {
        try await withTemporaryDirectory { path in
            let first = try Self.open(path)
            let lengths = [10, 200_000, 65_400, 100, 70_000, 10]
            for (number, length) in zip(1..., lengths) {
                var event = Self.event(UInt64(number))
                event.exec = String(repeating: "x", count: length)
                try await first.append([event])
            }
            let second = try Self.open(path)
            #expect(second.damage == [])
            #expect(try await Self.all(second).map(\.exec.utf8.count) == lengths)
        }
    }

    /// A container that is asked for again, when much has happened since it was removed, must not begin a second time.
    @Test(arguments: [Int64(1 << 20), 1_000])
    func whatWasRemovedLatelyIsKnownHoweverFullTheJournalIs(_ hardBytes: Int64) async throws {
        try await withTemporaryDirectory { path in
            var limits = Journal.Limits()
            (limits.segmentBytes, limits.softBytes, limits.hardBytes) = (200, 400, hardBytes)
            let journal = try Self.open(path, limits)
            var gone = Self.event(1, container: "gone", .delete)
            gone.exit = ExitStatus(code: 7, atUnixNanos: 5)
            try await journal.append([gone])
            for number in 1...50 {
                try await journal.append([Self.event(UInt64(number))])
                let last = await journal.lastSequence
                try await journal.acknowledge(owner: "test", sequence: last, journal: "")
            }
            #expect(journal.mayHaveRemoved("gone") && !journal.mayHaveRemoved("c"))
            #expect(try await journal.hasRemoved("gone", owner: "test"))
            #expect(try await !journal.hasRemoved("c", owner: "test"))
            // Beyond the hard limit nothing but that is known.
            let exit = try await journal.removal(of: "gone", owner: "test")?.exit
            #expect(exit?.code == (hardBytes == 1_000 ? nil : 7))
        }
    }
}
