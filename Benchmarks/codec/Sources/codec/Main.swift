// SPDX-License-Identifier: Apache-2.0
// The codec of swift-protobuf, measured with the sample message of echo.proto:
//
//     codec codec --rounds N      prints {"encode_ns":..,"decode_ns":..,"bytes":..}
import Foundation
import SwiftProtobuf

private typealias Sample = Petrel_Benchmark_V1_CodecMessage

/// The values that echo.proto lists.
private func sample() -> Sample {
    Sample.with {
        $0.id = String(repeating: "c0ffee", count: 10) + "c0ff"
        $0.name = "web-frontend-1"
        $0.createdNanos = 1_767_225_600_123_456_789
        $0.exitCode = -137
        $0.load = 0.8125
        $0.digest = Data((0..<32).map { UInt8(truncatingIfNeeded: 7 * $0) })
        $0.state = .running
        $0.limits = .with {
            $0.memoryBytes = 268_435_456
            $0.processorWeight = 100
            $0.oomKilled = true
            $0.cgroup = "petrel.slice/web"
        }
        $0.mounts = [
            mount("/srv/web/content", "/usr/share/nginx/html", readOnly: true),
            mount("/srv/web/cache", "/var/cache/nginx", readOnly: false),
            mount("tmpfs", "/run", readOnly: false),
        ]
        $0.labels = ["tier": "frontend", "team": "storefront", "release": "2026.01", "region": "eu-central"]
    }
}

private func mount(_ source: String, _ target: String, readOnly: Bool) -> Sample.Mount {
    Sample.Mount.with {
        $0.source = source
        $0.target = target
        $0.readOnly = readOnly
    }
}

/// Nanoseconds of processor time for each of so many rounds.
private func measure(_ rounds: Int, _ body: () throws -> Void) rethrows -> Double {
    let begin = processorNanos()
    for _ in 0..<rounds {
        try body()
    }
    return Double(processorNanos() - begin) / Double(rounds)
}

private func processorNanos() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
}

@main
private struct Codec {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 4, arguments[1] == "codec", arguments[2] == "--rounds",
            let rounds = Int(arguments[3]), rounds > 0
        else {
            FileHandle.standardError.write(Data("usage: codec codec --rounds N\n".utf8))
            exit(1)
        }
        let message = sample()
        var bytes: [UInt8] = []
        let encoding = try measure(rounds) {
            bytes = try message.serializedBytes()
        }
        var decoded = Sample()
        let decoding = try measure(rounds) {
            decoded = try Sample(serializedBytes: bytes)
        }
        guard decoded == message else {
            FileHandle.standardError.write(Data("codec: what was decoded is not what was encoded\n".utf8))
            exit(1)
        }
        let figures = String(format: "\"encode_ns\":%.1f,\"decode_ns\":%.1f", encoding, decoding)
        print("{\(figures),\"bytes\":\(bytes.count)}")
    }
}
