// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BenchmarkMessages
import Messages
import RPC
import System

struct Codec: ParsableCommand {
    @Option var rounds: Int

    /// The values that echo.proto lists.
    private static let sample = BenchmarkV1.CodecMessage(
        id: String(repeating: "c0ffee", count: 10) + "c0ff",
        name: "web-frontend-1",
        createdNanos: 1_767_225_600_123_456_789,
        exitCode: -137,
        load: 0.8125,
        digest: (0..<32).map { UInt8(truncatingIfNeeded: 7 * $0) },
        state: .running,
        limits: .init(
            memoryBytes: 268_435_456,
            processorWeight: 100,
            oomKilled: true,
            cgroup: "petrel.slice/web"
        ),
        mounts: [
            .init(source: "/srv/web/content", target: "/usr/share/nginx/html", readOnly: true),
            .init(source: "/srv/web/cache", target: "/var/cache/nginx", readOnly: false),
            .init(source: "tmpfs", target: "/run", readOnly: false),
        ],
        labels: ["tier": "frontend", "team": "storefront", "release": "2026.01", "region": "eu-central"]
    )

    func run() throws {
        let bytes = Self.sample.serialized()
        guard try BenchmarkV1.CodecMessage(serialized: bytes) == Self.sample else {
            throw RPCError(.dataLoss, "what was decoded is not what was encoded")
        }
        var total = 0
        let encoding = measure { total += Self.sample.serialized().count }
        let decoding = try measure { total += try BenchmarkV1.CodecMessage(serialized: bytes).mounts.count }
        guard total == rounds * (bytes.count + 3) else { throw RPCError(.dataLoss, "something was left out") }
        try Output.line("{\"encode_ns\":\(encoding),\"decode_ns\":\(decoding),\"bytes\":\(bytes.count)}")
    }

    /// Nanoseconds of processor time for each round.
    private func measure(_ body: () throws -> Void) rethrows -> Double {
        let start = Clock.processorNanos
        for _ in 0..<rounds { try body() }
        return Double(Clock.processorNanos - start) / Double(rounds)
    }
}
