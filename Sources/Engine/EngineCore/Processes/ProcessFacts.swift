// SPDX-License-Identifier: Apache-2.0
internal import System

/// What `/proc` says about one process.
struct ProcessFacts: Hashable, Sendable {
    var pid: Int32
    var parent: Int32 = 0
    var user: UInt32 = 0
    var group: UInt32 = 0
    var state = "?"
    var terminal: UInt32 = 0
    var priority: Int64 = 0
    var nice: Int64 = 0
    var threads: Int64 = 0
    var startTicks: UInt64 = 0
    var busyTicks: UInt64 = 0
    var virtualBytes: UInt64 = 0
    var residentBytes: UInt64 = 0
    var name = ""
    /// Its arguments with spaces between; `[name]` where it has none.
    var command = ""

    private static let argumentLimit = 128 << 10
    private static let pageBytes: UInt64 = 4096

    /// Nil when it has ended.
    init?(of pid: Int32) {
        guard let line = try? Files.text(of: "/proc/\(pid)/stat"),
            let status = try? Files.text(of: "/proc/\(pid)/status")
        else { return nil }
        let arguments = (try? Files.contents(of: "/proc/\(pid)/cmdline", limit: Self.argumentLimit)) ?? []
        self.init(pid: pid, stat: line, status: status, arguments: arguments)
    }

    /// From the texts of `stat`, `status` and `cmdline`; nil when they are not understood.
    init?(pid: Int32, stat: String, status: String, arguments: [UInt8]) {
        self.pid = pid
        // The name may hold spaces and brackets; the other fields begin after the last bracket.
        guard let open = stat.firstIndex(of: "("), let close = stat.lastIndex(of: ")"), open < close else {
            return nil
        }
        let fields = stat[stat.index(after: close)...].split(separator: " ")
        guard fields.count > 21 else { return nil }
        name = String(stat[stat.index(after: open)..<close])
        state = String(fields[0])
        parent = Int32(fields[1]) ?? 0
        terminal = UInt32(truncatingIfNeeded: Int64(fields[4]) ?? 0)
        busyTicks = (UInt64(fields[11]) ?? 0) + (UInt64(fields[12]) ?? 0)
        priority = Int64(fields[15]) ?? 0
        nice = Int64(fields[16]) ?? 0
        threads = Int64(fields[17]) ?? 0
        startTicks = UInt64(fields[19]) ?? 0
        virtualBytes = UInt64(fields[20]) ?? 0
        residentBytes = (UInt64(fields[21]) ?? 0) * Self.pageBytes
        // The effective ones.
        user = Self.number(2, after: "Uid:", in: status)
        group = Self.number(2, after: "Gid:", in: status)
        let words = arguments.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        command = words.isEmpty ? "[\(name)]" : words.joined(separator: " ")
    }

    private static func number(_ index: Int, after label: String, in text: String) -> UInt32 {
        let line = text.split(separator: "\n").first { $0.hasPrefix(label) } ?? ""
        let words = line.split(whereSeparator: { $0 == "\t" || $0 == " " })
        return words.count > index ? UInt32(words[index]) ?? 0 : 0
    }

    /// As ps(1) names it: `pts/0`, `tty1`, or `?`.
    var terminalName: String {
        let major = terminal >> 8 & 0xfff
        let minor = terminal & 0xff | terminal >> 12 & 0xfff00
        switch major {
        case 136...143: return "pts/\(minor + (major - 136) * 256)"
        case 4: return minor < 64 ? "tty\(minor)" : "ttyS\(minor - 64)"
        default: return "?"
        }
    }
}
