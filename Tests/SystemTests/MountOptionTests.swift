// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TestSupport

/// `--mount`, `--tmpfs`, `--volumes-from`, and how output is kept.
@Suite(.serialized, .needsRoot)
struct MountOptionTests {
    @Test func mountsAreAsAskedFor() throws {
        try withSuite { suite in
            try withTemporaryDirectory { directory in
                try Data("from outside\n".utf8).write(to: URL(fileURLWithPath: directory + "/in"))
                let bind = "type=bind,source=\(directory),target=/data"
                let options =
                    "awk '$2 == \"/t\" {print $4}' /proc/mounts | tr , '\\n' | grep -e noexec -e size -e mode | sort"
                let cases: [(options: [String], script: String, output: String)] = [
                    (
                        ["--mount", bind], "cat /data/in; echo x > /data/out && echo fine",
                        "from outside\nfine"
                    ),
                    (
                        ["--mount", bind + ",readonly"],
                        "echo x > /data/out 2>&1; grep -c ' /data .*ro,' /proc/mounts", "1"
                    ),
                    (
                        ["--mount", bind + ",bind-propagation=rslave"],
                        "grep -c ' /data .*master:' /proc/self/mountinfo; true", "0"
                    ),
                    (
                        ["--mount", "type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=1770"], options,
                        "mode=1770\nnoexec\nsize=1024k"
                    ),
                    (["--tmpfs", "/t:size=2m,exec,mode=700"], options, "mode=700\nsize=2048k"),
                    (["--tmpfs", "/t"], options, "noexec"),
                    (
                        ["--read-only", "--tmpfs", "/t"], "touch /t/a && touch /b 2>&1 | grep -c Read-only",
                        "1"
                    ),
                    (
                        ["--mount", bind, "--tmpfs", "/data/in2"], "ls /data/in2 | wc -l; cat /data/in",
                        "0\nfrom outside"
                    ),
                ]
                for (options, script, output) in cases {
                    let outcome = try suite.petrel(
                        ["run", "--rm"] + options + ["busybox", "sh", "-c", script]
                    )
                    let text = outcome.lines.filter { !$0.contains("can't create") }.joined(separator: "\n")
                    #expect(text == output, "\(outcome)")
                }
            }
        }
    }

    @Test func whatCannotBeMountedIsRefused() throws {
        try withSuite { suite in
            let bind = "type=bind,source=/tmp,target=/data"
            let cases: [(options: [String], text: String)] = [
                (["--mount", "type=bind,source=/no/such,target=/d"], "/no/such"),
                (["--mount", bind, "--tmpfs", "/data"], "duplicate"),
                (["--mount", "type=bind,source=/tmp,target=relative"], "absolute"),
                (["--mount", bind + ",bind-propagation=sideways"], "sideways"),
                (["--tmpfs", "/t:lowerdir=/etc"], "lowerdir"),
                (["--volumes-from", "nobody"], "nobody"),
            ]
            for (options, text) in cases {
                let outcome = try suite.petrel(["run", "--rm"] + options + ["busybox", "true"])
                #expect(outcome.status == 125 && outcome.stderr.contains(text), "\(outcome)")
            }
            #expect(try suite.containers().isEmpty)
        }
    }

    @Test func volumesComeFromOthers() throws {
        try withSuite { suite in
            try withTemporaryDirectory { directory in
                let mount = "type=bind,source=\(directory),target=/second"
                _ = try suite.petrel(
                    "create",
                    "--name",
                    "a",
                    "-v",
                    "\(directory):/first",
                    "--mount",
                    mount,
                    "busybox",
                    "true"
                )
                let script =
                    "touch /first/x && touch /second/y; ls /first; touch /second/z 2>&1 | grep -c Read-only"
                let written = try suite.petrel(
                    "run",
                    "--rm",
                    "--volumes-from",
                    "a",
                    "busybox",
                    "sh",
                    "-c",
                    script
                )
                #expect(written.lines == ["x", "y", "0"], "\(written)")
                let refused = try suite.petrel(
                    "run",
                    "--name",
                    "b",
                    "--volumes-from",
                    "a:ro",
                    "busybox",
                    "sh",
                    "-c",
                    "touch /first/q"
                )
                #expect(refused.status == 1 && refused.stderr.contains("Read-only"), "\(refused)")
                let document = try suite.inspect("b")
                #expect(document["Mounts"].array?.count == 2)
                #expect(document["HostConfig"]["VolumesFrom"][0].string == (try suite.id(of: "a")) + ":ro")
            }
        }
    }

    @Test func outputIsKeptAsAskedFor() throws {
        try withSuite { suite in
            // Nothing is kept; who is attached sees it all the same.
            let none = try suite.petrel(
                "run",
                "--name",
                "n",
                "--log-driver",
                "none",
                "busybox",
                "echo",
                "seen"
            )
            #expect(none.text == "seen", "\(none)")
            let logs = try suite.petrel("logs", "n")
            #expect(logs.status == 1 && logs.stderr.contains("does not support reading"), "\(logs)")
            #expect(try suite.inspect("n")["HostConfig"]["LogConfig"]["Type"].string == "none")
            // Two files of 64 KiB: of a megabyte the last part is there.
            let options = ["--log-opt", "max-size=64k", "--log-opt", "max-file=2"]
            _ = try suite.petrel(
                ["run", "-d", "--name", "r"] + options + ["busybox", "sh", "-c", "seq 1 150000"]
            )
            try suite.waitUntil("r", is: "exited")
            let lines = try suite.petrel("logs", "r").lines
            #expect(lines.last == "150000" && lines.count < 40_000, "\(lines.count)")
            for option in ["max-age=1", "max-size=x", "mode=maybe", "max-buffer-size=1m"] {
                let refused = try suite.petrel("run", "--rm", "--log-opt", option, "busybox", "true")
                #expect(refused.status == 125 && !refused.stderr.isEmpty, "\(refused)")
            }
            let syslog = try suite.petrel("run", "--rm", "--log-driver", "syslog", "busybox", "true")
            #expect(syslog.status == 125 && syslog.stderr.contains("syslog"), "\(syslog)")
        }
    }
}
