// SPDX-License-Identifier: Apache-2.0
import ImageStoreCore
import ImageStoreService
import Synchronization
import Testing

@Suite struct ReportingTests {
    private final class Client: Sendable {
        let told = Mutex<[String]>([])
        let isSlow = Mutex(true)

        /// As a response stream without room: the first writer waits until it is cancelled.
        func tell(_ progress: Progress) async throws {
            if isSlow.withLock({ $0 }) {
                do { try await Task.sleep(for: .seconds(60)) } catch {
                    isSlow.withLock { $0 = false }
                    throw error
                }
            }
            told.withLock { $0.append(progress.id) }
        }
    }

    @Test func aSlowClientLearnsHowItEnded() async throws {
        let board = ProgressBoard()
        let client = Client()
        let result = try await reporting(board, client.tell) {
            for id in ["a", "b", "c"] { board.note(id, .complete) }
            try await Task.sleep(for: .milliseconds(300))
            return 7
        }
        #expect(result == 7)
        #expect(client.told.withLock { $0 } == ["a", "b", "c"])
    }

    @Test func aFailureIsTheResult() async throws {
        struct Failure: Error {}
        let client = Client()
        await #expect(throws: Failure.self) {
            try await reporting(ProgressBoard(), client.tell) { throw Failure() }
        }
    }
}
