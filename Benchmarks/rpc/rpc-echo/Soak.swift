// SPDX-License-Identifier: Apache-2.0
import Events
import ArgumentParser
import BenchmarkMessages
import RPC
import Synchronization
import System

/// Calls of all kinds, compressed and not, some of which are cancelled at random moments. Prints a line of JSON every two seconds
/// (calls so far, and how many were cancelled), and the last one when all are done; a call that fails without having been
/// cancelled ends it with an error.
struct Soak: AsyncParsableCommand {
    @OptionGroup var target: Target
    @Option var calls: Int
    @Option var inFlight: Int

    private struct Tally {
        var done = 0
        var cancelled = 0
    }

    private final class Board: Sendable {
        let tally = Mutex(Tally())

        func show(_ end: Bool = false) throws {
            let tally = tally.withLock { $0 }
            try Output.line("{\"calls\":\(tally.done),\"cancelled\":\(tally.cancelled),\"end\":\(end)}")
        }
    }

    func run() async throws {
        let client = target.client
        let board = Board()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while true {
                    try await Task.sleep(for: .seconds(2))
                    try board.show()
                }
            }
            try await withThrowingTaskGroup(of: Void.self) { lanes in
                for lane in 0..<inFlight {
                    let share = calls / inFlight + (lane < calls % inFlight ? 1 : 0)
                    lanes.addTask(executorPreference: EventLoop.shared) {
                        for _ in 0..<share {
                            let wasCancelled = try await Self.call(client)
                            board.tally.withLock { tally in
                                tally.done += 1
                                tally.cancelled += wasCancelled ? 1 : 0
                            }
                        }
                    }
                }
                try await lanes.waitForAll()
            }
            group.cancelAll()
        }
        try board.show(true)
    }

    /// - Returns: Whether it was cancelled, and ended for that.
    private static func call(_ client: BenchmarkV1.EchoClient) async throws -> Bool {
        let options = CallOptions(
            timeout: .seconds(60),
            metadata: Int.random(in: 0..<8) == 0 ? ["soak": "\(UInt32.random(in: 0...UInt32.max))"] : [:],
            compression: Int.random(in: 0..<16) == 0 ? .gzip : nil
        )
        switch Int.random(in: 0..<100) {
        case ..<85: try await say(client, options)
        case ..<90: try await flow(client, options)
        case ..<95: try await talk(client, options)
        case 95: return try await leave(client, options)
        default: return try await cancel(client, options)
        }
        return false
    }

    private static func message() -> BenchmarkV1.EchoMessage {
        let size = Int.random(in: 0..<100) == 0 ? Int.random(in: 0...65536) : Int.random(in: 0...200)
        return .init(text: "soak", payload: [UInt8](repeating: UInt8.random(in: 0...255), count: size))
    }

    private static func say(_ client: BenchmarkV1.EchoClient, _ options: CallOptions) async throws {
        let request = message()
        guard try await client.say(request, options: options) == request else {
            throw RPCError(.dataLoss, "say: the answer is not the request")
        }
    }

    private static func flow(_ client: BenchmarkV1.EchoClient, _ options: CallOptions) async throws {
        let bytes = UInt64.random(in: 1...20_000)
        var count = 0
        for try await part in try await client.flow(.init(bytes: bytes, chunkBytes: 1000), options: options) {
            count += part.payload.count
        }
        guard count == bytes else { throw RPCError(.dataLoss, "flow: \(count) of \(bytes) bytes") }
    }

    private static func talk(_ client: BenchmarkV1.EchoClient, _ options: CallOptions) async throws {
        try await client.talk(options: options) { requests, answers in
            for number in 0..<Int32.random(in: 1...5) {
                var request = message()
                request.count = number
                try await requests.write(request)
                guard try await answers.next() == request else {
                    throw RPCError(.dataLoss, "talk: the answer is not the request")
                }
            }
            requests.finish()
            guard try await answers.next() == nil else { throw RPCError(.dataLoss, "talk: too many answers") }
        }
    }

    /// Drops a stream of which most is still to come.
    private static func leave(_ client: BenchmarkV1.EchoClient, _ options: CallOptions) async throws -> Bool {
        let answers = try await client.flow(.init(bytes: 100_000_000, chunkBytes: 1000), options: options)
        guard try await answers.next()?.payload.count == 1000 else {
            throw RPCError(.dataLoss, "leave: no part")
        }
        return true
    }

    /// Cancels the task at some moment: it may be over by then.
    private static func cancel(_ client: BenchmarkV1.EchoClient, _ options: CallOptions) async throws -> Bool
    {
        let turns = Int.random(in: 0..<4)
        return try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask(executorPreference: EventLoop.shared) {
                do {
                    try await say(client, options)
                    return false
                } catch let error as RPCError where error.code == .cancelled {
                    return true
                }
            }
            for _ in 0..<turns { await Task.yield() }
            group.cancelAll()
            return try await group.next() ?? false
        }
    }
}
