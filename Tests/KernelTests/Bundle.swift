// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSON
import RuntimeSpec
import System
import TestSupport
import Testing

/// A root file system of busybox, and containers in it run by `runtime-probe`.
struct Bundle {
    /// What the probe saw.
    struct Run {
        let output: String
        let errors: String
        let report: JSON

        var lines: [String] { output.split(separator: "\n").map(String.init) }

        /// The exit code; nil when a signal ended it or it never ran.
        var exitCode: Int? {
            guard let status = report["status"]?.integer, report["failure"] == nil else { return nil }
            return status & 0x7f == 0 ? Int(status >> 8) : nil
        }

        /// `step path code`.
        var failure: String? { Self.text(report["failure"]) }
        var execFailure: String? { Self.text(report["exec"]?["failure"]) }

        private static func text(_ failure: JSON?) -> String? {
            failure.map {
                "\($0["step"]?.string ?? "") \($0["path"]?.string ?? "") \($0["code"]?.integer ?? 0)"
            }
        }
    }

    let directory: String
    let cgroup: String
    var root: String { directory + "/lower" }

    /// Makes a bundle for `body`, and afterwards proves that no mount, group or process is left.
    static func with(_ body: (Bundle) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            let name = "petrel-test-" + TestRoot.newName("k")
            let bundle = Bundle(directory: directory, cgroup: name + "/container")
            try bundle.fill()
            try body(bundle)
            #expect(HostProcess.mounts(below: directory).isEmpty)
            #expect(HostProcess.cgroups(named: name).isEmpty)
            #expect(HostProcess.all(mentioning: directory + "/").isEmpty)
        }
    }

    private func fill() throws {
        for name in ["lower/bin", "lower/etc", "lower/tmp", "upper", "work", "root"] {
            try Files.makeDirectories(directory + "/" + name)
        }
        try FileManager.default.copyItem(atPath: "/bin/busybox", toPath: root + "/bin/busybox")
        for name in [
            "sh", "true", "cat", "id", "ls", "sleep", "mkdir", "grep", "stat", "mount", "env", "pwd", "tty",
            "stty",
            "hostname", "tail", "dd", "touch", "readlink", "ps", "wc", "kill", "umount", "mknod", "chroot",
            "echo", "rm",
        ] {
            try link(name, to: "busybox", in: "bin")
        }
        try write("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nmeg:x:1000:1001:Meg:/home/meg:/bin/sh\n")
        try write("etc/group", "root:x:0:\nstaff:x:50:meg\nmeg:x:1001:\n")
    }

    func write(_ path: String, _ text: String) throws {
        let file = try Files.open(root + "/" + path, [.writeOnly, .create, .truncate])
        try Files.writeAll(file.raw, Array(text.utf8))
    }

    func link(_ name: String, to target: String, in folder: String = "") throws {
        try FileManager.default.createSymbolicLink(
            atPath: root + "/" + folder + "/" + name,
            withDestinationPath: target
        )
    }

    /// Docker's defaults, without its filter unless asked for.
    func spec(_ arguments: [String], filter: Bool = false) -> ContainerSpec {
        let process = ProcessSpec(args: arguments, env: ["PATH=/bin"])
        var spec = DockerDefaults.spec(process: process, kernelRelease: Host.kernelRelease)
        spec.root = .init(path: directory + "/root")
        spec.hostname = "box"
        if !filter { spec.linux.seccomp = nil }
        return spec
    }

    func shell(_ script: String, _ change: (inout ContainerSpec) -> Void = { _ in }) throws -> Run {
        try run(["sh", "-c", script], change)
    }

    func run(
        _ arguments: [String],
        filter: Bool = false,
        extra: JSON.Object = [:],
        _ change: (inout ContainerSpec) -> Void = { _ in }
    ) throws -> Run {
        var spec = spec(arguments, filter: filter)
        change(&spec)
        let layers: JSON = [
            "lowerdir=\(root)", "upperdir=\(directory)/upper", "workdir=\(directory)/work",
        ]
        var scenario: JSON.Object = [
            "spec": spec.json, "cgroup": .string(cgroup),
            "rootfs": [["destination": "", "type": "overlay", "source": "overlay", "options": layers]],
        ]
        for (key, value) in extra { scenario[key] = value }
        let path = directory + "/" + TestRoot.newName("s")
        try Files.replace(path, with: JSON.object(scenario).serialized())
        let outcome = try TestSupport.run(binaries + "/runtime-probe", [path, path + ".report"], within: 30)
        try #require(outcome.status == 0, "\(outcome)")
        let report = try JSON(parsing: Files.contents(of: path + ".report"))
        #expect(report["leakedDescriptors"]?.integer ?? 0 == 0)
        #expect(report["threads"]?.integer ?? 1 == 1)
        return Run(output: outcome.stdout, errors: outcome.stderr, report: report)
    }
}
