// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TestSupport

/// Full and read-only disks, unknown flags, absent daemons: clear errors, and nothing that was there is lost.
@Suite(.serialized, .needsRoot)
struct BadSurroundingsTests {
    @Test func aFullDiskIsReportedAndDeletingStillWorks() throws {
        try withSmallDisk(bytes: 96 << 20) { disk in
            try withSuite(root: disk + "/root") { suite in
                try suite.startShell("keep", "echo kept; sleep 1000")
                try suite.waitForLines("keep", 1)
                try fill(disk)
                let load = try suite.petrel("load", stdin: .bytes(try largeImage()))
                #expect(load.status == 1, "\(load)")
                #expect(load.stderr.contains("space") || load.stderr.contains("ENOSPC"), "\(load)")
                // What was there is there, and can be removed.
                #expect(try suite.status(of: "keep") == "running")
                #expect(try suite.succeed("logs", "keep") == "kept")
                try suite.succeed("rm", "-f", "keep")
                unlink(disk + "/filler")
                #expect(try suite.succeed("run", "--rm", "busybox", "echo", "fine") == "fine")
            }
        }
    }

    /// A container that fills the disk with its output waits, and loses nothing once there is room.
    @Test func outputWaitsForRoom() throws {
        try withSmallDisk(bytes: 96 << 20) { disk in
            try withSuite(root: disk + "/root") { suite in
                try suite.startShell("w", "sleep 1; seq 0 400000; sleep 1000")
                try fill(disk)
                pass(seconds: 3)
                #expect(try suite.petrel("ps", "-q").lines.count == 1)
                unlink(disk + "/filler")
                try suite.waitForLines("w", 400_001, within: 60)
                try suite.expectCounting("w", atLeast: 400_001)
            }
        }
    }

    /// With `mode=non-blocking` it does not wait: what there is no room for is lost.
    @Test func outputIsDroppedWhereThatIsAsked() throws {
        try withSmallDisk(bytes: 96 << 20) { disk in
            try withSuite(root: disk + "/root") { suite in
                let script = "sleep 1; seq 0 3000000; exit 4"
                try suite.startShell("w", script, options: ["--log-opt", "mode=non-blocking"])
                try fill(disk)
                pass(seconds: 4)
                unlink(disk + "/filler")
                try suite.waitUntil("w", is: "exited")
                #expect(try suite.state("w")["ExitCode"].int == 4)
                #expect(try suite.petrel("logs", "w").lines.count < 3_000_000)
            }
        }
    }

    /// Its end is told, and it is removed, although nothing that it wrote is gone yet.
    @Test func aContainerThatFillsTheDiskEnds() throws {
        try withSmallDisk(bytes: 64 << 20) { disk in
            try withSuite(root: disk + "/root") { suite in
                let fill = "cat /dev/zero > /large; exit 3"
                try suite.succeed("run", "-d", "--name", "kept", "busybox", "sh", "-c", fill)
                #expect(try suite.succeed("wait", "kept") == "3")
                let outcome = try suite.petrel("run", "--rm", "busybox", "sh", "-c", fill)
                #expect(outcome.status == 3 || outcome.stderr.contains("space"), "\(outcome)")
                try suite.succeed("rm", "kept")
                try eventually("no container") { try suite.petrel("ps", "-aq").lines.isEmpty }
                #expect(try suite.petrel("run", "--rm", "busybox", "sh", "-c", fill).status == 3)
                #expect(try suite.succeed("run", "--rm", "busybox", "echo", "fine") == "fine")
            }
        }
    }

    /// One that takes every byte the moment it is free can be removed all the same.
    @Test func aContainerThatKeepsTheDiskFullCanBeRemoved() throws {
        try withSmallDisk(bytes: 64 << 20) { disk in
            try withSuite(root: disk + "/root") { suite in
                try suite.startShell("noisy", "while :; do echo noise >&2; sleep 0.1; done")
                try suite.startShell("greedy", "while :; do cat /dev/zero >> /large; done 2> /dev/null")
                try eventually("a full disk") { try freeBytes(of: disk) < 64 << 10 }
                pass(seconds: 4)
                #expect(try suite.petrel("ps", "-q").lines.count == 2)
                try suite.succeed("rm", "-f", "greedy", "noisy")
                #expect(try suite.petrel("ps", "-aq").lines.isEmpty)
                // That there is no room is said, and not again and again.
                let told = try suite.petrel(
                    ["events", "--since", "10m", "--until", "0s", "--filter", "container=noisy"]
                )
                let words = told.lines.filter { $0.contains("output_") }
                #expect((1...3).contains(words.count), "\(words)")
                #expect(try suite.succeed("run", "--rm", "busybox", "echo", "fine") == "fine")
                try suite.succeed("rmi", "busybox")
            }
        }
    }

    /// While nothing at all can be written, what keepers tell is asked for again once a second, and not more and more often; with
    /// room everything is told, in order.
    @Test func whatCannotBeRecordedIsRecordedLater() throws {
        try withSmallDisk(bytes: 64 << 20) { disk in
            try withTemporaryDirectory { shared in
                try withSuite(root: disk + "/root") { suite in
                    // Two events at least: that its output has no room, and its end.
                    let script = "while ! test -e /shared/end; do echo x; sleep 0.1; done; exit 3"
                    for name in ["a", "b"] {
                        try suite.startShell(name, script, options: ["-v", "\(shared):/shared"])
                    }
                    // Also the reserve.
                    try FileManager.default.removeItem(atPath: disk + "/root/reserve")
                    try fill(disk)
                    let supervisor = try suite.pid(of: .supervisor)
                    let before = HostProcess.memory(of: supervisor)
                    pass(seconds: 1)
                    try Data().write(to: URL(fileURLWithPath: shared + "/end"))
                    pass(seconds: 18)
                    #expect(HostProcess.memory(of: supervisor) - before < 8 << 20)
                    unlink(disk + "/filler")
                    for name in ["a", "b"] {
                        try suite.waitUntil(name, is: "exited")
                        #expect(try suite.state(name)["ExitCode"].int == 3)
                    }
                }
            }
        }
    }

    /// What is written on a full disk before anything can be removed has its room there already.
    @Test func databasesAndJournalHaveRoomAhead() throws {
        try withSuite { suite in
            try suite.succeed("run", "--rm", "busybox", "true")
            let journal = suite.root + "/supervisor/journal"
            let segment = try #require(
                FileManager.default.contentsOfDirectory(atPath: journal).filter { $0.hasPrefix("0") }.max()
            )
            for (path, bytes) in [
                (suite.root + "/engine/engine.db-wal", 2 << 20),
                (suite.root + "/image-store/store.db-wal", 2 << 20), ("\(journal)/\(segment)", 256 << 10),
            ] {
                var status = stat()
                #expect(stat(path, &status) == 0 && status.st_blocks * 512 >= bytes, "\(path): \(status)")
            }
        }
    }

    /// Without a descriptor to spare a command can do nothing, and says so.
    @Test func aCommandWithoutDescriptorsSaysSo() throws {
        try withSuite { suite in
            let script = "ulimit -n 4; exec \"$0\" --root \"$1\" --run \"$2\" ps"
            let shell = try ChildProcess(
                "/bin/sh",
                ["-c", script, binaries + "/petrel", suite.root, suite.run]
            )
            let outcome = try shell.finish(within: 20)
            #expect(outcome.status == 1 && outcome.stderr.contains("EMFILE"), "\(outcome)")
            #expect(outcome.stderr.split(separator: "\n").count == 1, "\(outcome)")
        }
    }

    /// A container whose records cannot be read is there all the same: nobody takes it for one that has removed itself.
    @Test func anUnreadableRecordIsNoReasonToRemoveAnything() throws {
        try withSuite { suite in
            try suite.startCounter("c", options: ["--rm"])
            let id = try suite.id(of: "c")
            let process = try #require(try suite.state("c")["Pid"].int)
            let directory = "\(suite.root)/supervisor/containers/\(id)"
            let names = ["lifecycle.pb", "lifecycle.now.pb"].filter {
                FileManager.default.fileExists(atPath: "\(directory)/\($0)")
            }
            try suite.succeed("system", "stop", "supervisor")
            for name in names {
                #expect(rename("\(directory)/\(name)", "\(directory)/\(name).kept") == 0)
                try Data([0xff]).write(to: URL(fileURLWithPath: "\(directory)/\(name)"))
            }
            try suite.succeed("system", "start", "supervisor")
            // Its first act is to repair.
            try suite.succeed("system", "restart", "engine")
            #expect(try suite.succeed("ps", "-a", "--format", "{{.Names}}") == "c")
            let removal = try suite.petrel("rm", "c")
            #expect(removal.status == 1 && removal.stderr.contains("lifecycle.pb"), "\(removal)")
            #expect(HostProcess.isAlive(Int32(process)))
            try suite.succeed("system", "stop", "supervisor")
            for name in names { #expect(rename("\(directory)/\(name).kept", "\(directory)/\(name)") == 0) }
            try suite.succeed("system", "start", "supervisor")
            #expect(try suite.status(of: "c") == "running")
            try suite.expectCounting("c", atLeast: 100)
        }
    }

    private func fill(_ disk: String) throws {
        // Fails when the disk is full, which is what it is for.
        try run("dd", ["if=/dev/zero", "of=\(disk)/filler", "bs=1M"])
    }

    private func freeBytes(of disk: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfFileSystem(forPath: disk)
        return try #require(attributes[.systemFreeSize] as? Int)
    }

    private func largeImage() throws -> [UInt8] {
        var layer = TarArchive()
        layer.add(.file, "large", content: [UInt8](repeating: 7, count: 40 << 20))
        return try TestImage.archive("large:1", layers: [layer.finished])
    }

    @Test func aReadOnlyRootIsReported() throws {
        try withSmallDisk(bytes: 16 << 20) { disk in
            try succeed("mount", ["-o", "remount,ro", disk])
            try withTemporaryDirectory { directory in
                let arguments = ["--root", disk + "/root", "--run", directory + "/run", "system", "start"]
                let outcome = try run(binaries + "/petrel", arguments, within: 60)
                #expect(outcome.status != 0, "\(outcome)")
                #expect(outcome.stderr.contains(disk), "\(outcome)")
                #expect(
                    outcome.stderr.lowercased().contains("read-only") || outcome.stderr.contains("EROFS"),
                    "\(outcome)"
                )
                try eventually("no process") { HostProcess.all(mentioning: directory).isEmpty }
            }
        }
    }

    @Test func absentDaemonsAreReported() throws {
        try withTemporaryDirectory { directory in
            let places = ["--root", directory + "/root", "--run", directory + "/run"]
            let outcome = try run(binaries + "/petrel", places + ["ps"])
            #expect(outcome.status == 1, "\(outcome)")
            #expect(outcome.stderr.contains("petrel system start"), "\(outcome)")
            let status = try run(binaries + "/petrel", places + ["system", "status"])
            #expect(status.stderr.contains("petrel system start"), "\(status)")
        }
    }

    @Test func unknownFlagsAndCommandsAreRefused() throws {
        try withSuite { suite in
            for arguments in [["ps", "--no-such-flag"], ["nonsense"], ["logs"], ["run"], ["stop"]] {
                let outcome = try suite.petrel(arguments)
                #expect(outcome.status != 0 && !outcome.stderr.isEmpty, "\(outcome)")
                #expect(outcome.stdout.isEmpty, "\(outcome)")
            }
            #expect(try suite.petrel("run", "--no-such-flag", "busybox").status == 125)
            let empty = try TestImage.archive("noentry:1", layers: [TestImage.busyboxLayer()], config: "")
            #expect(try suite.petrel("load", stdin: .bytes(empty)).status == 0)
            let nothing = try suite.petrel("run", "--rm", "noentry:1")
            #expect(nothing.status == 125 && nothing.stderr.contains("command"), "\(nothing)")
            let missing = try suite.petrel("run", "--rm", "--entrypoint", "/missing", "busybox")
            #expect(missing.status == 127 && missing.stderr.contains("/missing"), "\(missing)")
            try eventually("no container") { try suite.containers().isEmpty }
        }
    }
}
