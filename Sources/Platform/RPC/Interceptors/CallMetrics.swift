// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// Counts a server's calls: begun, ended by status, and how long they took. The names are those that servers of other languages
/// use, so that dashboards made for them fit.
package final class CallMetrics: CallObserver {
    /// Upper bounds of the histogram's buckets, in nanoseconds: 100 µs to 30 s.
    private static let bounds: [Int64] = [
        100_000, 300_000, 1_000_000, 3_000_000, 10_000_000, 30_000_000, 100_000_000, 300_000_000,
        1_000_000_000,
        3_000_000_000, 10_000_000_000, 30_000_000_000,
    ]

    private struct Counts {
        var started = 0
        var handled = [Int](repeating: 0, count: StatusCode.allCases.count)
        var buckets = [Int](repeating: 0, count: bounds.count)
        var nanos: Int64 = 0

        mutating func add(_ code: StatusCode, _ nanos: Int64) {
            handled[code.rawValue] += 1
            self.nanos += nanos
            guard let index = bounds.firstIndex(where: { nanos <= $0 }) else { return }
            buckets[index] += 1
        }
    }

    /// Of methods that were called: only those that the server has come here, so it stays small.
    private let counts = Mutex<[String: Counts]>([:])

    package init() {}

    package func began(_ context: CallContext) {
        counts.withLock { $0[context.method, default: Counts()].started += 1 }
    }

    package func ended(_ context: CallContext, _ outcome: CallOutcome) {
        let code = outcome.failure?.code ?? .ok
        counts.withLock { $0[context.method, default: Counts()].add(code, outcome.durationNanos) }
    }

    /// Prometheus' text format, version 0.0.4; methods in the order of their names.
    package func text() -> String {
        let counts = counts.withLock { $0 }.sorted { $0.key < $1.key }
        var text = "# HELP grpc_server_started_total Calls begun.\n# TYPE grpc_server_started_total counter\n"
        for (method, count) in counts {
            text += "grpc_server_started_total{\(Self.labels(method))} \(count.started)\n"
        }
        text +=
            "# HELP grpc_server_handled_total Calls ended, by status.\n# TYPE grpc_server_handled_total counter\n"
        for (method, count) in counts {
            for code in StatusCode.allCases where count.handled[code.rawValue] > 0 {
                text += "grpc_server_handled_total{\(Self.labels(method)),grpc_code=\"\(code)\"} "
                text += "\(count.handled[code.rawValue])\n"
            }
        }
        text += "# HELP grpc_server_handling_seconds How long calls took.\n"
        text += "# TYPE grpc_server_handling_seconds histogram\n"
        for (method, count) in counts { text += Self.histogram(method, count) }
        return text
    }

    private static func histogram(_ method: String, _ count: Counts) -> String {
        let name = "grpc_server_handling_seconds"
        let total = count.handled.reduce(0, +)
        var text = ""
        var sum = 0
        for (bound, number) in zip(bounds, count.buckets) {
            sum += number
            text += "\(name)_bucket{\(labels(method)),le=\"\(Double(bound) / 1e9)\"} \(sum)\n"
        }
        text += "\(name)_bucket{\(labels(method)),le=\"+Inf\"} \(total)\n"
        text += "\(name)_sum{\(labels(method))} \(Double(count.nanos) / 1e9)\n"
        return text + "\(name)_count{\(labels(method))} \(total)\n"
    }

    /// `/petrel.engine.v1.Containers/Start`: names of the definitions, which need no escapes.
    private static func labels(_ method: String) -> String {
        let parts = method.split(separator: "/", maxSplits: 1)
        return "grpc_service=\"\(parts.first ?? "")\",grpc_method=\"\(parts.last ?? "")\""
    }
}
