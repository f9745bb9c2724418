// SPDX-License-Identifier: Apache-2.0
import JSON
import Messages
import RPC
import Rendering
import Services
import Suite
import System

/// What there is to know about the daemons: from petrel-init, from their health service, and from /proc.
struct DaemonStatus: Sendable {
    let name: String
    let pid: Int32
    let version: String
    let uptimeNanos: Int64
    let memoryBytes: UInt64?
    /// `healthy`, or what it is instead.
    let health: String
    let socket: String
    let restarts: UInt32
    let detail: String

    /// petrel-init first, then the daemons in the order of their start.
    static func all(of location: SuiteLocation, reply: InitV1.Reply?) async -> [DaemonStatus] {
        let known =
            reply?.daemons
            ?? InitClient.daemons.map {
                InitV1.Daemon(name: $0, socket: location.socket(of: $0))
            }
        var result: [DaemonStatus] = []
        for daemon in known {
            result.append(await status(of: daemon, release: reply?.release ?? ""))
        }
        return result
    }

    private static func status(of daemon: InitV1.Daemon, release: String) async -> DaemonStatus {
        let running = daemon.pid > 0
        let now = Clock.wallNanos
        return DaemonStatus(
            name: daemon.name,
            pid: daemon.pid,
            version: running ? release : "",
            uptimeNanos: running ? max(0, now - daemon.startedAtUnixNanos) : 0,
            memoryBytes: running ? memory(of: daemon.pid) : nil,
            health: await health(of: daemon),
            socket: daemon.socket,
            restarts: daemon.restarts,
            detail: daemon.statusText
        )
    }

    /// Whether the daemon itself says that it serves; else its state.
    private static func health(of daemon: InitV1.Daemon) async -> String {
        switch daemon.state {
        case .stopped: return "stopped"
        case .backOff: return "waiting to restart"
        case .stopping: return "stopping"
        default: break
        }
        if daemon.state == .starting { return "starting" }
        let channel = Channel(unixSocket: daemon.socket)
        let client = GrpcHealthV1.HealthClient(channel: channel)
        do throws(RPCError) {
            let request = GrpcHealthV1.HealthCheckRequest()
            let answer = try await client.check(request, options: CallOptions(timeout: .seconds(2)))
            await channel.close()
            return answer.status == .serving ? "healthy" : "not serving"
        } catch {
            await channel.close()
            return error.code == .deadlineExceeded ? "no answer" : "unhealthy"
        }
    }

    /// Proportional set size; the resident size where the kernel does not let us see that.
    private static func memory(of pid: Int32) -> UInt64? {
        for (file, field) in [("smaps_rollup", "Pss:"), ("status", "VmRSS:")] {
            guard let text = try? Files.text(of: "/proc/\(pid)/\(file)") else { continue }
            for line in text.split(separator: "\n") where line.hasPrefix(field) {
                let words = line.split(separator: " ")
                if words.count >= 2, let kilobytes = UInt64(words[1]) { return kilobytes << 10 }
            }
        }
        return nil
    }

    var json: JSON {
        [
            "name": .string(name),
            "pid": .integer(Int64(pid)),
            "version": .string(version),
            "uptime": .string(uptimeNanos == 0 ? "" : HumanDuration.text(nanos: uptimeNanos)),
            "uptime_seconds": .integer(uptimeNanos / 1_000_000_000),
            "memory": .string(memoryBytes.map { HumanSize.binary($0) } ?? ""),
            "memory_bytes": .integer(Int64(clamping: memoryBytes ?? 0)),
            "health": .string(health),
            "socket": .string(socket),
            "restarts": .integer(Int64(restarts)),
            "status": .string(detail),
        ]
    }

    var row: [String] {
        [
            name, pid > 0 ? String(pid) : "-", version.isEmpty ? "-" : version,
            uptimeNanos == 0 ? "-" : HumanDuration.text(nanos: uptimeNanos),
            memoryBytes.map { HumanSize.binary($0) } ?? "-", health, socket,
        ]
    }
}
