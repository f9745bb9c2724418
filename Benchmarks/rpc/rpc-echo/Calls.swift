// SPDX-License-Identifier: Apache-2.0
import Events
import ArgumentParser
import BenchmarkMessages
import RPC
import System

struct Unary: AsyncParsableCommand {
    @OptionGroup var target: Target
    @Option var calls: Int
    @Option var inFlight: Int
    @Option var warmUp: Int

    func run() async throws {
        let client = target.client
        try await withTaskExecutorPreference(EventLoop.shared) {
            _ = try await measure(client, warmUp)
            let (cpu, start) = (Clock.processorNanos, Clock.bootNanos)
            let each = try await measure(client, calls)
            let (spent, seconds) = (Clock.processorNanos - cpu, Double(Clock.bootNanos - start) / 1e9)
            let times = each.sorted()
            let micros = { (index: Int) in Double(times[min(index, times.count - 1)]) / 1000 }
            try Output.line(
                "{\"calls\":\(times.count),\"seconds\":\(seconds),\"p50_us\":\(micros(times.count / 2)),"
                    + "\"p99_us\":\(micros(times.count * 99 / 100)),"
                    + "\"cpu_us\":\(Double(spent) / 1000 / Double(times.count))}"
            )
        }
    }

    /// So many calls, `inFlight` of them at a time.
    /// - Returns: What each took, in nanoseconds.
    @concurrent
    private func measure(_ client: BenchmarkV1.EchoClient, _ count: Int) async throws -> [Int64] {
        try await withThrowingTaskGroup(of: [Int64].self) { group in
            for lane in 0..<inFlight {
                let share = count / inFlight + (lane < count % inFlight ? 1 : 0)
                group.addTask { try await Self.lane(client, share) }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }

    private static func lane(_ client: BenchmarkV1.EchoClient, _ count: Int) async throws -> [Int64] {
        let request = BenchmarkV1.EchoMessage(text: "hello", payload: [UInt8](repeating: 0x5a, count: 100))
        var times: [Int64] = []
        times.reserveCapacity(count)
        for _ in 0..<count {
            let start = Clock.bootNanos
            let answer = try await client.say(request)
            times.append(Clock.bootNanos - start)
            // As much as the peer in C looks at.
            guard answer.text == request.text, answer.payload.count == request.payload.count else {
                throw RPCError(.dataLoss, "the answer is not the request")
            }
        }
        return times
    }
}

struct Flow: AsyncParsableCommand {
    @OptionGroup var target: Target
    @Option var bytes: UInt64
    @Option var chunk: UInt32

    func run() async throws {
        let client = target.client
        try await withTaskExecutorPreference(EventLoop.shared) { try await measure(client) }
    }

    @concurrent
    private func measure(_ client: BenchmarkV1.EchoClient) async throws {
        // The connection is there already.
        _ = try await client.say(.init())
        let start = Clock.bootNanos
        var count = 0
        for try await message in try await client.flow(.init(bytes: bytes, chunkBytes: chunk)) {
            count += message.payload.count
        }
        let seconds = Double(Clock.bootNanos - start) / 1e9
        guard count == bytes else { throw RPCError(.dataLoss, "\(count) bytes came") }
        try Output.line("{\"bytes\":\(count),\"seconds\":\(seconds)}")
    }
}
