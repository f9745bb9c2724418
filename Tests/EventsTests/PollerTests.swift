// SPDX-License-Identifier: Apache-2.0
import Events
import System
import Testing

struct PollerTests {
    /// A cancellation that comes while a wait begins must leave nothing watched: the next duplicate of the descriptor may
    /// have the same number.
    @Test func waitsThatAreCancelledAtOnceLeaveNothingBehind() async throws {
        let poller = try Poller()
        defer { poller.stop() }
        let pipe = try Pipe()
        let end = SharedDescriptor(try pipe.readEnd.duplicate())
        let failures = try await withThrowingTaskGroup(of: [SystemError].self) { group in
            for _ in 0..<4 { group.addTask { await Self.cancelledWaits(poller, end) } }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(failures.isEmpty, "\(failures.count), such as \(failures.first.map(\.description) ?? "")")
        // What was watched all along is still heard.
        async let heard: Void = poller.readable(end)
        try Files.writeAll(pipe.writeEnd.raw, [1])
        try await heard
    }

    private static func cancelledWaits(_ poller: Poller, _ end: SharedDescriptor) async -> [SystemError] {
        var failures: [SystemError] = []
        for index in 0..<20_000 {
            let wait = Task { try await poller.readable(end) }
            // A little later each time, so that some cancellations come in its midst.
            let due = Clock.bootNanos + Int64(index % 100) * 200
            while Clock.bootNanos < due {}
            wait.cancel()
            if case .failure(let error as SystemError) = await wait.result { failures.append(error) }
        }
        return failures
    }
}
