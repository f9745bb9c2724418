// SPDX-License-Identifier: Apache-2.0
import Glibc
import JSON
import Logs
import Messages
import System

/// A container's directories and root file system, made of busybox; everything goes when it is let go.
final class TestContainer {
    let base: String
    let id: String
    var directory: String { base + "/container" }
    var runDirectory: String { base + "/run" }
    var faults: String { base + "/faults" }
    var root: String { base + "/root" }
    var spool: SpoolDirectory { SpoolDirectory(path: directory + "/spool") }
    private let cgroupPath: String

    /// - Parameter script: What `sh -c` runs as init.
    init(
        _ script: String,
        terminal: Bool = false,
        openStdin: Bool = false,
        stdinOnce: Bool = false,
        segmentBytes: UInt64 = 0,
        segments: UInt32 = 0,
        arguments: [String]? = nil,
        memoryLimit: Int64? = nil,
        dropsWhenFull: Bool = false,
        prepare: (TestContainer) throws -> Void = { _ in }
    ) throws {
        let random = try SystemEnvironment.randomBytes(6).map { String($0, radix: 16) }.joined()
        id = "keepertest" + random
        base = "/tmp/petrel-keeper-test-\(random)"
        cgroupPath = "petrel-keepertest/\(id)"
        for path in [
            directory, runDirectory, faults, root + "/bin", root + "/proc", root + "/dev", root + "/tmp",
        ] {
            try Files.makeDirectories(path)
        }
        try prepare(self)
        try Self.copyBusybox(to: root + "/bin/busybox")
        for applet in [
            "sh", "cat", "seq", "sleep", "echo", "true", "head", "yes", "usleep", "dd", "kill", "wc",
        ] {
            guard symlink("busybox", root + "/bin/" + applet) == 0 else {
                throw TestFailure("symlink: \(errno)")
            }
        }
        let config = Self.config(
            arguments ?? ["/bin/sh", "-c", script],
            terminal: terminal,
            root: root,
            memoryLimit: memoryLimit
        )
        try Files.replace(directory + "/config.json", with: config.serialized())
        let record = KeeperV1.ContainerRecord(
            version: 1,
            id: id,
            rootfs: [CommonV1.Mount(type: "bind", source: root, target: "", options: ["rbind"])],
            openStdin: openStdin,
            stdinOnce: stdinOnce,
            outputMaxSegmentBytes: segmentBytes,
            outputMaxSegments: segments,
            cgroupPath: cgroupPath,
            outputDropWhenFull: dropsWhenFull
        )
        try Files.replace(directory + "/container.pb", with: record.serialized())
    }

    deinit {
        // Nothing of a test may stay behind, even when it failed.
        for hierarchy in (try? Files.names(in: "/sys/fs/cgroup")) ?? [] {
            let group = "/sys/fs/cgroup/\(hierarchy)/\(cgroupPath)"
            for pid in ((try? Files.text(of: group + "/cgroup.procs")) ?? "").split(separator: "\n") {
                if let pid = Int32(pid) { _ = Glibc.kill(pid, SIGKILL) }
            }
            for _ in 0..<100 where Files.exists(group) {
                if rmdir(group) == 0 { break }
                usleep(10_000)
            }
            rmdir("/sys/fs/cgroup/\(hierarchy)/petrel-keepertest")
        }
        try? Files.removeTree(base)
    }

    /// 64 digits, as containers' names are.
    var number: String {
        String(repeating: "0", count: 64 - 12) + base.suffix(12).map { $0.isHexDigit ? $0 : "0" }
    }

    /// Makes its directories known by `number`, too, below the two that are returned.
    func nameByNumber() throws -> (parent: String, runParent: String) {
        let parents = (base + "/containers", base + "/runs")
        for (parent, path) in [(parents.0, directory), (parents.1, runDirectory)] {
            try Files.makeDirectories(parent)
            guard symlink(path, parent + "/" + number) == 0 else { throw TestFailure("symlink: \(errno)") }
        }
        return parents
    }

    /// Arms a fault point.
    func arm(_ name: String) throws { try Files.replace(faults + "/" + name, with: []) }

    /// All output up to now, one stream.
    func output(_ stream: OutputStream = .standardOutput) throws -> [UInt8] {
        var reader = SpoolReader(directory: spool)
        var bytes: [UInt8] = []
        while let item = try reader.next() {
            if case .chunk(let chunk) = item, chunk.stream == stream { bytes += chunk.bytes }
        }
        return bytes
    }

    /// Checks that the output is the numbers from 1 on, a line each, and returns the last one.
    func numbersInOutput(lineEnd: String) throws -> Int {
        var reader = SpoolReader(directory: spool)
        var expected: [UInt8] = []
        var matched = 0
        var next = 1
        while let item = try reader.next() {
            guard case .chunk(let chunk) = item else { throw TestFailure("a gap before \(next)") }
            while expected.count - matched < chunk.bytes.count {
                expected = Array(expected[matched...])
                expected += (next..<next + 1000).map { "\($0)\(lineEnd)" }.joined().utf8
                (matched, next) = (0, next + 1000)
            }
            let isEqual = chunk.bytes[...] == expected[matched..<matched + chunk.bytes.count]
            guard isEqual else { throw TestFailure("wrong bytes at \(chunk.position), before \(next)") }
            matched += chunk.bytes.count
        }
        let rest = expected.dropFirst(matched)
        return next - 1 - rest.count { $0 == 0x0a }
    }

    func record() throws -> KeeperV1.RunRecord {
        try KeeperV1.RunRecord(serialized: try Files.contents(of: directory + "/run.pb"))
    }

    /// The events on disk.
    func events() throws -> [KeeperV1.Event] {
        let bytes = try Files.contents(of: directory + "/events")
        var events: [KeeperV1.Event] = []
        var start = 0
        while start + 4 <= bytes.count {
            let length = (0..<4).reduce(0) { $0 | Int(bytes[start + $1]) << (8 * $1) }
            // The last one may be on its way.
            guard start + 4 + length <= bytes.count else { break }
            events.append(try KeeperV1.Event(serialized: Array(bytes[start + 4..<start + 4 + length])))
            start += 4 + length
        }
        return events
    }

    static func keeperPath() throws -> String {
        let candidates =
            [SystemEnvironment.value(of: "PETREL_BIN").map { $0 + "/petrel-keeper" }].compactMap { $0 }
            + [Files.parentPath(of: try Files.link(at: "/proc/self/exe")) + "/petrel-keeper"]
        guard
            let path = candidates.first(where: { Files.exists($0) })
                ?? CommandLine.arguments.first.map({
                    Files.parentPath(of: $0) + "/petrel-keeper"
                }), Files.exists(path)
        else { throw TestFailure("no petrel-keeper: set PETREL_BIN") }
        return path
    }

    private static func copyBusybox(to path: String) throws {
        let content = try Files.contents(of: "/bin/busybox")
        let file = try Files.open(path, [.writeOnly, .create, .truncate], mode: 0o755)
        try Files.writeAll(file.raw, content)
    }

    static func process(_ arguments: [String], terminal: Bool = false) -> JSON {
        [
            "terminal": .bool(terminal), "cwd": "/", "args": .array(arguments.map { .string($0) }),
            "env": ["PATH=/bin"], "user": ["uid": 0, "gid": 0],
        ]
    }

    private static func config(
        _ arguments: [String],
        terminal: Bool,
        root: String,
        memoryLimit: Int64?
    ) -> JSON {
        [
            "ociVersion": "1.2.0", "process": process(arguments, terminal: terminal),
            "root": ["path": .string(root)],
            "hostname": "keepertest",
            "mounts": [
                ["destination": "/proc", "type": "proc", "source": "proc"],
                ["destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]],
                [
                    "destination": "/dev/pts", "type": "devpts", "source": "devpts",
                    "options": ["newinstance", "ptmxmode=0666"],
                ],
            ],
            "linux": [
                "resources": memoryLimit.map { ["memory": ["limit": .integer($0), "swap": .integer($0)]] }
                    ?? [:],
                "namespaces": [
                    ["type": "pid"], ["type": "mount"], ["type": "ipc"], ["type": "uts"], ["type": "network"],
                    ["type": "cgroup"],
                ],
            ],
        ]
    }
}
