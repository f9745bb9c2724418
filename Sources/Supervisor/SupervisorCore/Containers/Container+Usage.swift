// SPDX-License-Identifier: Apache-2.0
package import Cgroups
internal import System

/// A running container's processes, and what they use.
package struct ContainerUsage: Sendable {
    package let id: ContainerID
    package let pid: Int32
    package let processes: [Int32]
    package let counted: CgroupUsage
    package let network: NetworkUsage
    package let moment: Moment
}

/// What went through the interfaces of a network namespace, without the loopback one.
package struct NetworkUsage: Hashable, Sendable {
    package var receivedBytes: UInt64 = 0
    package var receivedPackets: UInt64 = 0
    package var sentBytes: UInt64 = 0
    package var sentPackets: UInt64 = 0

    package init() {}

    /// From the text of `/proc/PID/net/dev`.
    package init(_ text: String) {
        for line in text.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let name = line[..<colon].drop { $0 == " " }
            let numbers = line[line.index(after: colon)...].split(separator: " ").map { UInt64($0) ?? 0 }
            guard name != "lo", numbers.count >= 10 else { continue }
            receivedBytes += numbers[0]
            receivedPackets += numbers[1]
            sentBytes += numbers[8]
            sentPackets += numbers[9]
        }
    }
}

extension Container {
    /// nil when it does not run.
    package func usage() -> ContainerUsage? {
        guard lifecycle.phase == .running, lifecycle.pid > 0, let group = try? cgroup() else { return nil }
        let text = try? Files.text(of: "/proc/\(lifecycle.pid)/net/dev")
        return ContainerUsage(
            id: id,
            pid: lifecycle.pid,
            processes: group.processes(),
            counted: group.usage(),
            network: NetworkUsage(text ?? ""),
            moment: surroundings.now
        )
    }
}
