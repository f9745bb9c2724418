// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TestSupport

/// `petrel run` and its options, with the meaning that the Docker command line gave them.
@Suite(.serialized, .needsRoot)
struct RunTests {
    /// One suite for all of them: each run is a container of its own.
    @Test func exitCodesAreDockers() throws {
        let cases: [(arguments: [String], status: Int32)] = [
            (["busybox", "true"], 0),
            (["busybox", "sh", "-c", "exit 7"], 7),
            (["busybox", "sh", "-c", "exit 255"], 255),
            // The first process of a container cannot kill itself; its shell reports how its child ended.
            (["busybox", "sh", "-c", "sh -c 'kill -9 $$'; exit $?"], 137),
            (["busybox", "sh", "-c", "sh -c 'kill -15 $$'; exit $?"], 143),
            (["busybox", "no-such-program"], 127),
            (["busybox", "/no/such/program"], 127),
            (["busybox", "/etc"], 126),
            (["busybox", "/etc/passwd"], 126),
            (["--no-such-flag", "busybox", "true"], 125),
            (["--memory", "nonsense", "busybox", "true"], 125),
            (["--sig-proxy=perhaps", "busybox", "true"], 125),
            (["--sig-proxy=0", "busybox", "true"], 0),
            (["--blkio-weight", "-1", "busybox", "true"], 125),
            (["--oom-score-adj", "3000000000", "busybox", "true"], 125),
            (["--generate-completion-script", "bash"], 125),
            (["127.0.0.1:1/no-such-image:nowhere", "true"], 125),
            (["-w", "relative/path", "busybox", "true"], 125),
            (["-u", "nobody-of-this-name", "busybox", "true"], 125),
        ]
        try withSuite { suite in
            for (arguments, status) in cases {
                let outcome = try suite.petrel(["run", "--rm"] + arguments)
                #expect(outcome.status == status, "\(outcome)")
                if status >= 125 && status <= 127 { #expect(!outcome.stderr.isEmpty, "\(outcome)") }
            }
            try eventually("no container") { try suite.containers().isEmpty }
            suite.expectNoRemains()
        }
    }

    /// There is a file when there is a container, and no container where there can be no file.
    @Test func theIDFileIsThereBeforeAnythingRuns() throws {
        try withSuite { suite in
            let path = suite.directory + "/id"
            func id() throws -> String { try String(contentsOfFile: path, encoding: .utf8) }
            let run = try suite.petrel("run", "-d", "--cidfile", path, "busybox", "true")
            #expect(try run.status == 0 && run.text == id(), "\(run)")
            let again = try suite.petrel("run", "-d", "--cidfile", path, "busybox", "true")
            #expect(again.status == 125 && again.stderr.contains("exists already"), "\(again)")
            let nowhere = try suite.petrel("run", "-d", "--cidfile", "/not/there/id", "busybox", "true")
            #expect(nowhere.status == 125 && nowhere.stderr.contains("ENOENT"), "\(nowhere)")
            #expect(try suite.containers().count == 1)
            try FileManager.default.removeItem(atPath: path)
            let failing = try suite.petrel("run", "--cidfile", path, "busybox", "nothing-of-this-name")
            #expect(failing.status == 127, "\(failing)")
            #expect(try suite.inspect(id())["State"]["ExitCode"].int == 127)
            try FileManager.default.removeItem(atPath: path)
            let absent = try suite.petrel("run", "--pull=never", "--cidfile", path, "absent", "true")
            #expect(absent.status == 125 && !FileManager.default.fileExists(atPath: path), "\(absent)")
        }
    }

    @Test func processOptionsReachTheProgram() throws {
        let cases: [(options: [String], script: String, output: String)] = [
            (["-e", "COLOUR=blue green"], "echo $COLOUR", "blue green"),
            (["-e", "EMPTY="], "echo \"[$EMPTY]${EMPTY+set}\"", "[]set"),
            ([], "echo $PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
            ([], "echo $HOME", "/root"),
            (["-w", "/tmp/a/b"], "pwd", "/tmp/a/b"),
            (["-u", "1"], "id -u; id -g", "1\n1"),
            (["-u", "daemon"], "id -u; id -g; id -G", "1\n1\n1 50"),
            (["-u", "1234:50"], "id -u; id -g", "1234\n50"),
            (["--hostname", "harbour"], "hostname", "harbour"),
            (["--entrypoint", "/bin/echo"], "only arguments", "-c only arguments"),
            (["--network", "none"], "ls /sys/class/net", "lo"),
            ([], "ls /sys/class/net", "lo"),
            ([], "echo $$", "1"),
            ([], "cat /proc/self/status | awk '/^NoNewPrivs|^Seccomp:/ {print $2}'", "0\n2"),
            ([], "awk '/^CapEff/ {print $2}' /proc/self/status", "00000000a80425fb"),
            (["--cap-drop", "ALL"], "awk '/^CapEff/ {print $2}' /proc/self/status", "0000000000000000"),
            (
                ["--cap-drop", "ALL", "--cap-add", "CHOWN"], "awk '/^CapEff/ {print $2}' /proc/self/status",
                "0000000000000001"
            ),
            (["--cap-add", "NET_ADMIN"], "awk '/^CapEff/ {print $2}' /proc/self/status", "00000000a80435fb"),
            ([], "ls -l /dev/null | cut -c1; cat /dev/full | head -c1 | wc -c", "c\n1"),
            ([], "touch /proc/sys/kernel/hostname 2>&1 | grep -c 'Read-only'", "1"),
            ([], "cat /proc/kcore | wc -c", "0"),
            ([], "mount -t tmpfs x /tmp 2>&1 | grep -c -i 'permission denied\\|not permitted'", "1"),
            ([], "mknod /tmp/d b 8 0 && cat /tmp/d 2>&1 | grep -c 'not permitted'", "1"),
            ([], "grep -c . /etc/hostname /etc/hosts | cut -d: -f1", "/etc/hostname\n/etc/hosts"),
            ([], "ls -1 /proc/self/fd | wc -l", "4"),
        ]
        try withSuite { suite in
            for (options, script, output) in cases {
                let outcome = try suite.petrel(
                    ["run", "--rm"] + options + ["busybox"]
                        + (options.first == "--entrypoint" ? [] : ["sh"]) + ["-c", script]
                )
                #expect(outcome.text == output, "\(outcome)")
            }
        }
    }

    @Test func theHostnameIsTheShortIDWithoutTheOption() throws {
        try withSuite { suite in
            let id = try suite.startShell("h", "hostname; sleep 100")
            try suite.waitForLines("h", 1)
            #expect(try suite.succeed("logs", "h") == id.prefix(12))
        }
    }

    @Test func volumesAreBindMounts() throws {
        try withSuite { suite in
            try withTemporaryDirectory { directory in
                try Data("from outside\n".utf8).write(to: URL(fileURLWithPath: directory + "/in"))
                let script = "cat /data/in; echo from inside > /data/out"
                let outcome = try suite.petrel(
                    "run",
                    "--rm",
                    "-v",
                    "\(directory):/data",
                    "busybox",
                    "sh",
                    "-c",
                    script
                )
                #expect(outcome.text == "from outside", "\(outcome)")
                #expect(try String(contentsOfFile: directory + "/out", encoding: .utf8) == "from inside\n")
                let refused = try suite.petrel(
                    "run",
                    "--rm",
                    "-v",
                    "\(directory):/data:ro",
                    "busybox",
                    "sh",
                    "-c",
                    "echo x > /data/out"
                )
                #expect(refused.status == 1 && refused.stderr.contains("Read-only"), "\(refused)")
                // A source that is not there is made, as a directory.
                try suite.succeed("run", "--rm", "-v", "\(directory)/new/dir:/d", "busybox", "touch", "/d/f")
                #expect(FileManager.default.fileExists(atPath: directory + "/new/dir/f"))
                // One file alone.
                let file = try suite.petrel(
                    "run",
                    "--rm",
                    "-v",
                    "\(directory)/in:/etc/one",
                    "busybox",
                    "cat",
                    "/etc/one"
                )
                #expect(file.text == "from outside", "\(file)")
            }
        }
    }

    @Test func limitsAreTheKernels() throws {
        try withSuite { suite in
            let script = """
                cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/cpu/cpu.cfs_quota_us \
                /sys/fs/cgroup/cpu/cpu.cfs_period_us /sys/fs/cgroup/pids/pids.max
                """
            let options = ["run", "--rm", "--memory", "64m", "--cpus", "0.5", "--pids-limit", "20"]
            let outcome = try suite.petrel(options + ["busybox", "sh", "-c", script])
            #expect(outcome.lines == ["67108864", "50000", "100000", "20"], "\(outcome)")

            // More memory than allowed ends with SIGKILL, and inspect says why.
            let eater = [
                "run", "--name", "eater", "--memory", "16m", "busybox", "sh", "-c",
                "x=a; while :; do x=$x$x; done",
            ]
            #expect(try suite.petrel(eater).status == 137)
            #expect(try suite.state("eater")["OOMKilled"].bool == true)

            let forks = try suite.petrel(
                "run",
                "--rm",
                "--pids-limit",
                "5",
                "busybox",
                "sh",
                "-c",
                "for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; wait"
            )
            #expect(forks.status != 0 || forks.stderr.contains("fork"), "\(forks)")
        }
    }

    @Test func hostNetworkIsTheHosts() throws {
        try withSuite { suite in
            let host = try FileManager.default.contentsOfDirectory(atPath: "/sys/class/net").sorted()
            let outcome = try suite.petrel(
                "run",
                "--rm",
                "--network",
                "host",
                "busybox",
                "ls",
                "/sys/class/net"
            )
            #expect(outcome.lines.sorted() == host, "\(outcome)")
        }
    }

    @Test func privilegedHasAllThatRootHere() throws {
        try withSuite { suite in
            let script = "mount -t tmpfs x /mnt && mknod /mnt/n c 1 3 && echo x > /mnt/n && echo fine"
            let outcome = try suite.petrel(
                "run",
                "--rm",
                "--privileged",
                "busybox",
                "sh",
                "-c",
                "mkdir -p /mnt; " + script
            )
            #expect(outcome.text == "fine", "\(outcome)")
        }
    }

    @Test func stopSendsTheSignalThatWasChosen() throws {
        try withSuite { suite in
            let script = "trap 'exit 5' USR1; trap 'exit 6' TERM; echo ready; while :; do usleep 10000; done"
            try suite.startShell("s", script, options: ["--stop-signal", "USR1"])
            try eventually("its traps") { try suite.petrel("logs", "s").text == "ready" }
            try suite.succeed("stop", "s")
            #expect(try suite.state("s")["ExitCode"].int == 5)
        }
    }

    @Test func detachedPrintsTheIDAndTheAttachedOutputIsComplete() throws {
        try withSuite { suite in
            let id = try suite.startShell("d", "sleep 100")
            #expect(id.count == 64 && id.allSatisfy(\.isHexDigit))
            let outcome = try suite.petrel("run", "--rm", "busybox", "seq", "1", "20000")
            #expect(outcome.lines.count == 20000 && outcome.lines.last == "20000")
            let both = try suite.petrel("run", "--rm", "busybox", "sh", "-c", "echo out; echo err >&2")
            #expect(both.stdout == "out\n" && both.stderr == "err\n")
        }
    }

    @Test func noContainerSharesNamespacesWithTheHost() throws {
        try withSuite { suite in
            let names = ["ipc", "mnt", "net", "pid", "uts"]
            let script = names.map { "readlink /proc/self/ns/\($0)" }.joined(separator: "; ")
            let inside = try suite.petrel("run", "--rm", "busybox", "sh", "-c", script)
            let outside = try names.map {
                try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/\($0)")
            }
            #expect(inside.lines.count == names.count, "\(inside)")
            for (one, other) in zip(inside.lines, outside) { #expect(one != other) }
        }
    }
}
