// SPDX-License-Identifier: Apache-2.0
internal import System

/// What the kernel has counted for a group. Where a controller is missing, its numbers are 0.
package struct CgroupUsage: Hashable, Sendable {
    package var cpuNanos: UInt64 = 0
    package var cpuUserNanos: UInt64 = 0
    package var cpuSystemNanos: UInt64 = 0
    package var memoryBytes: UInt64 = 0
    /// The part of it that is cache nobody has used lately.
    package var inactiveFileBytes: UInt64 = 0
    /// 0: without limit.
    package var memoryLimitBytes: UInt64 = 0
    package var processes: UInt64 = 0
    /// 0: without limit.
    package var processLimit: UInt64 = 0
    package var readBytes: UInt64 = 0
    package var writtenBytes: UInt64 = 0

    package init() {}
}

extension Cgroup {
    /// Version 1 writes "no limit" as the largest multiple of a page.
    private static let legacyUnlimited: UInt64 = 1 << 62
    /// `cpuacct.stat` counts in this part of a second, whatever the kernel's own.
    private static let nanosPerTick: UInt64 = 10_000_000

    package func usage() -> CgroupUsage {
        var usage = CgroupUsage()
        let isUnified = layout.kind == .unified
        if isUnified { readUnified(&usage) } else { readLegacy(&usage) }
        usage.processes = number("pids", "pids.current") ?? 0
        usage.processLimit = number("pids", "pids.max") ?? 0
        if usage.memoryLimitBytes >= Self.legacyUnlimited { usage.memoryLimitBytes = 0 }
        return usage
    }

    private func readLegacy(_ usage: inout CgroupUsage) {
        usage.cpuNanos = number("cpuacct", "cpuacct.usage") ?? 0
        let ticks = Self.table(text("cpuacct", "cpuacct.stat"))
        usage.cpuUserNanos = (ticks["user"] ?? 0) * Self.nanosPerTick
        usage.cpuSystemNanos = (ticks["system"] ?? 0) * Self.nanosPerTick
        usage.memoryBytes = number("memory", "memory.usage_in_bytes") ?? 0
        usage.inactiveFileBytes = Self.table(text("memory", "memory.stat"))["total_inactive_file"] ?? 0
        usage.memoryLimitBytes = number("memory", "memory.limit_in_bytes") ?? 0
        let moved =
            text("blkio", "blkio.throttle.io_service_bytes_recursive")
            ?? text("blkio", "blkio.throttle.io_service_bytes")
        (usage.readBytes, usage.writtenBytes) = Self.legacyTransfers(moved ?? "")
    }

    private func readUnified(_ usage: inout CgroupUsage) {
        let times = Self.table(text("cpu", "cpu.stat"))
        usage.cpuNanos = (times["usage_usec"] ?? 0) * 1000
        usage.cpuUserNanos = (times["user_usec"] ?? 0) * 1000
        usage.cpuSystemNanos = (times["system_usec"] ?? 0) * 1000
        usage.memoryBytes = number("memory", "memory.current") ?? 0
        usage.inactiveFileBytes = Self.table(text("memory", "memory.stat"))["inactive_file"] ?? 0
        usage.memoryLimitBytes = number("memory", "memory.max") ?? 0
        (usage.readBytes, usage.writtenBytes) = Self.unifiedTransfers(text("io", "io.stat") ?? "")
    }

    private func text(_ controller: String, _ file: String) -> String? {
        directory(of: controller).flatMap { try? Files.text(of: $0 + "/" + file) }
    }

    /// nil for "max" too.
    private func number(_ controller: String, _ file: String) -> UInt64? {
        text(controller, file).flatMap { UInt64($0) }
    }

    /// Lines of a name and a number.
    package static func table(_ text: String?) -> [String: UInt64] {
        var table: [String: UInt64] = [:]
        for line in (text ?? "").split(separator: "\n") {
            let parts = line.split(separator: " ")
            if parts.count == 2, let value = UInt64(parts[1]) { table[String(parts[0])] = value }
        }
        return table
    }

    /// `8:0 Read 4096`, …: of all devices.
    package static func legacyTransfers(_ text: String) -> (read: UInt64, written: UInt64) {
        var (read, written): (UInt64, UInt64) = (0, 0)
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ")
            guard parts.count == 3, let value = UInt64(parts[2]) else { continue }
            if parts[1] == "Read" { read += value }
            if parts[1] == "Write" { written += value }
        }
        return (read, written)
    }

    /// `8:0 rbytes=4096 wbytes=0 …`: of all devices.
    package static func unifiedTransfers(_ text: String) -> (read: UInt64, written: UInt64) {
        var (read, written): (UInt64, UInt64) = (0, 0)
        for word in text.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
            if word.hasPrefix("rbytes=") { read += UInt64(word.dropFirst(7)) ?? 0 }
            if word.hasPrefix("wbytes=") { written += UInt64(word.dropFirst(7)) ?? 0 }
        }
        return (read, written)
    }
}
