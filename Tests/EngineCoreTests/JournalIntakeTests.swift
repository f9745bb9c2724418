// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import EngineCore

/// What is between the journal's reader and the database.
struct JournalIntakeTests {
    private func event(_ sequence: UInt64, _ action: JournalEvent.Action = .start) -> JournalEvent {
        JournalEvent(
            position: JournalPosition(journal: "j", sequence: sequence),
            wallUnixNanos: 0,
            container: .random(),
            action: action
        )
    }

    private func sequences(_ events: [JournalEvent]) -> [UInt64] { events.map(\.position.sequence) }

    @Test func whatComesTogetherIsStoredTogether() async throws {
        let intake = JournalIntake()
        for number in 1...3 { try await intake.add(event(UInt64(number))) }
        #expect(sequences(try await intake.next()) == [1, 2, 3])
        try await intake.add(event(4))
        #expect(sequences(try await intake.next()) == [4])
    }

    /// Whoever waits for the last one has those before it stored as well.
    @Test(arguments: [JournalEvent.Action.delete, .removalWanted])
    func whatARemovalWaitsForTakesTheOthersAlong(_ action: JournalEvent.Action) async throws {
        let intake = JournalIntake()
        try await intake.add(event(1))
        async let batch = intake.next()
        try await intake.add(event(2, action))
        let first = try await batch
        let rest = first.count == 2 ? [] : try await intake.next()
        #expect(sequences(first + rest) == [1, 2])
    }

    @Test func itIsBoundedAndInOrder() async throws {
        let intake = JournalIntake()
        let count: UInt64 = 2000
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for number in 1...count { try await intake.add(event(number)) } }
            var got: [UInt64] = []
            while UInt64(got.count) < count {
                let batch = sequences(try await intake.next())
                #expect((1...256).contains(batch.count))
                got += batch
            }
            #expect(got == Array(1...count))
            try await group.waitForAll()
        }
    }

    @Test func bothSidesEndWhenTheyAreCancelled() async throws {
        let intake = JournalIntake()
        let reader = Task { _ = try await intake.next() }
        reader.cancel()
        await #expect(throws: CancellationError.self) { try await reader.value }
        let writer = Task { for number in 1...1000 { try await intake.add(event(UInt64(number))) } }
        writer.cancel()
        await #expect(throws: CancellationError.self) { try await writer.value }
    }
}
