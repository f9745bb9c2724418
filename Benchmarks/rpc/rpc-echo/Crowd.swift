// SPDX-License-Identifier: Apache-2.0
import Events
import ArgumentParser
import BenchmarkMessages
import RPC
import Synchronization
import System

struct Idle: AsyncParsableCommand {
    @OptionGroup var target: Target
    @Option var connections: Int

    func run() async throws {
        var clients: [BenchmarkV1.EchoClient] = []
        for _ in 0..<connections {
            let client = target.client
            _ = try await client.say(.init(text: "hello"))
            clients.append(client)
        }
        try Output.line("ready")
        try Output.waitForEndOfInput()
        withExtendedLifetime(clients) {}
    }
}

struct Streams: AsyncParsableCommand {
    @OptionGroup var target: Target
    @Option var count: Int

    /// How many calls have their answer, and how the others ended.
    private struct Tally {
        var open = 0
        var failed = 0
        var refused = 0
        var goaway = 0
    }

    private final class Board: Sendable {
        let tally = Mutex(Tally())
        let changes: AsyncStream<Void>
        private let continuation: AsyncStream<Void>.Continuation

        init() { (changes, continuation) = AsyncStream.makeStream() }

        func note(_ change: (inout Tally) -> Void) {
            tally.withLock { change(&$0) }
            continuation.yield()
        }
    }

    func run() async throws {
        let client = target.client
        _ = try await client.say(.init())
        let board = Board()
        let (ended, isEnded) = AsyncStream.makeStream(of: Never.self)
        // Each stream ends when this has ended, for all at once.
        let waiting = Task { for await _ in ended {} }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<count {
                group.addTask(executorPreference: EventLoop.shared) {
                    do {
                        try await Self.hold(client, number, until: waiting) { board.note { $0.open += 1 } }
                    } catch {
                        board.note { Self.count(error, in: &$0) }
                    }
                }
            }
            var left = count
            for await _ in board.changes {
                left -= 1
                if left == 0 { break }
            }
            let seen = board.tally.withLock { $0 }
            try Output.line(
                "{\"open\":\(seen.open),\"failed\":\(seen.failed),\"refused\":\(seen.refused),"
                    + "\"goaway\":\(seen.goaway),\"server_kb_note\":\"\"}"
            )
            try Output.waitForEndOfInput()
            isEnded.finish()
            try await group.waitForAll()
        }
    }

    private static func hold(
        _ client: BenchmarkV1.EchoClient,
        _ number: Int,
        until end: Task<Void, Never>,
        _ note: @Sendable () -> Void
    ) async throws {
        try await client.talk { requests, answers in
            try await requests.write(.init(text: "hello", count: Int32(number)))
            guard let answer = try await answers.next(), answer.count == Int32(number) else {
                throw RPCError(.dataLoss, "no answer, or another call's")
            }
            note()
            await end.value
            requests.finish()
            guard try await answers.next() == nil else { throw RPCError(.dataLoss, "one answer too many") }
        }
    }

    private static func count(_ error: any Error, in tally: inout Tally) {
        tally.failed += 1
        guard let error = error as? RPCError, error.code == .unavailable else { return }
        if error.message.contains("(7)") { tally.refused += 1 } else { tally.goaway += 1 }
    }
}
