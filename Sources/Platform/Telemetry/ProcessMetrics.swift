// SPDX-License-Identifier: Apache-2.0
internal import System

/// What this process takes, as Prometheus' client libraries tell it. A figure that `/proc` does not give is left out.
package enum ProcessMetrics {
    package static func text() -> String {
        var text = line(
            "process_cpu_seconds_total",
            "counter",
            "Processor time used.",
            "\(Double(Clock.processorNanos) / 1e9)"
        )
        if let kibibytes = residentKibibytes {
            text += line("process_resident_memory_bytes", "gauge", "Memory in use.", "\(kibibytes * 1024)")
        }
        if let files = try? Files.names(in: "/proc/self/fd").count {
            text += line("process_open_fds", "gauge", "Open descriptors.", "\(files)")
        }
        return text
    }

    private static var residentKibibytes: Int? {
        guard let status = try? Files.text(of: "/proc/self/status"),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") })
        else { return nil }
        return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    }

    private static func line(_ name: String, _ type: String, _ help: String, _ value: String) -> String {
        "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n\(name) \(value)\n"
    }
}
