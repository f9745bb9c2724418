// SPDX-License-Identifier: Apache-2.0
import JSON
import RuntimeSpec
import TestSupport
import Testing

@Suite(.needsRoot, .serialized)
struct ContainerTests {
    @Test func aProgramRunsAndItsCodeArrives() throws {
        try Bundle.with { bundle throws in
            #expect(try bundle.run(["true"]).exitCode == 0)
            #expect(try bundle.shell("exit 7").exitCode == 7)
        }
    }

    @Test func theDefaultFilterLetsAShellWork() throws {
        try Bundle.with { bundle throws in
            let run = try bundle.run(
                ["sh", "-c", "grep ^Seccomp: /proc/self/status; mount -t tmpfs x /tmp || echo refused"],
                filter: true
            )
            #expect(run.lines == ["Seccomp:\t2", "refused"])
            let strict = try bundle.run(
                ["grep", "-E", "^(Seccomp|NoNewPrivs):", "/proc/self/status"],
                filter: true
            ) {
                $0.process?.noNewPrivileges = true
            }
            #expect(strict.lines == ["NoNewPrivs:\t1", "Seccomp:\t2"])
        }
    }

    @Test func theProcessIsAsAskedFor() throws {
        try Bundle.with { bundle throws in
            let run = try bundle.shell(
                "id -u; id -g; id -G; echo $HOME; umask; pwd; echo $A; hostname; cat /proc/self/comm"
            ) {
                $0.process?.user = .init(uid: 5, gid: 6, umask: 0o77, additionalGids: [8, 9])
                $0.process?.cwd = "/made/for/it"
                $0.process?.env.append("A=b c")
            }
            #expect(run.lines == ["5", "6", "6 8 9", "/", "0077", "/made/for/it", "b c", "box", "cat"])
        }
    }

    @Test func usersAreFoundInTheImage() throws {
        try Bundle.with { bundle throws in
            func who(_ name: String) throws -> Bundle.Run {
                try bundle.shell("id -u; id -g; id -G; echo $HOME") { $0.process?.user.username = name }
            }
            #expect(try who("meg").lines == ["1000", "1001", "1001 50", "/home/meg"])
            #expect(try who("meg:staff").lines == ["1000", "50", "50", "/home/meg"])
            #expect(try who("77").lines == ["77", "0", "0", "/"])
            #expect(try who("77:78").lines == ["77", "78", "78", "/"])
            let groups = try bundle.run(["grep", "^Groups:", "/proc/self/status"]) {
                $0.process?.user.username = "meg"
            }
            #expect(groups.lines == ["Groups:\t50 1001 "])
            #expect(try who("nobody").failure == "user nobody 2")
            #expect(try who("meg:nogroup").failure == "user meg:nogroup 2")
        }
    }

    @Test func aUserCanReopenItsStreams() throws {
        try Bundle.with { bundle throws in
            let script = "echo out > /dev/stdout; touch /x 2>/dev/null || echo denied"
            let run = try bundle.run(["sh", "-c", script], extra: ["pipes": true]) {
                $0.process?.user.username = "meg"
            }
            #expect(run.report["output"] == "out\ndenied\n")
        }
    }

    @Test func capabilitiesAreWhatWasGranted() throws {
        try Bundle.with { bundle throws in
            let script = "grep -E '^Cap(Prm|Eff|Bnd|Amb)' /proc/self/status"
            let docker = try bundle.shell(script)
            #expect(
                docker.lines.map { String($0.suffix(16)) } == [
                    "00000000a80425fb", "00000000a80425fb", "00000000a80425fb", "0000000000000000",
                ]
            )
            let none = try bundle.shell(script) { $0.process?.capabilities = nil }
            #expect(Set(none.lines.map { String($0.suffix(16)) }) == ["0000000000000000"])
            let ambient = try bundle.shell(script) {
                $0.process?.user.uid = 1000
                let raw: Set<Capability> = [.netRaw]
                $0.process?.capabilities = CapabilitySets(
                    bounding: raw,
                    effective: raw,
                    inheritable: raw,
                    permitted: raw,
                    ambient: raw
                )
            }
            #expect(Set(ambient.lines.map { String($0.suffix(16)) }) == ["0000000000002000"])
            // What this machine cannot give is left out; the rest is granted.
            let all = try bundle.shell(script) {
                $0.process?.capabilities = CapabilitySets(Capability.allCases)
            }
            #expect(all.exitCode == 0)
            #expect(all.lines.first?.hasSuffix("ffffff") == true)
        }
    }

    @Test func programsThatCannotRunSayWhy() throws {
        try Bundle.with { bundle throws in
            try bundle.write("etc/script", "#!/nope\n")
            #expect(try bundle.run(["nope"]).failure == "execve nope 2")
            #expect(try bundle.run(["/nope/x"]).failure == "execve /nope/x 2")
            #expect(try bundle.run(["/etc/passwd"]).failure == "execve /etc/passwd 13")
            #expect(try bundle.run(["/etc"]).failure == "execve /etc 21")
            #expect(try bundle.run(["/proc/self/exe"]).failure == "execve /proc/self/exe 40")
            #expect(
                try bundle.run(["true"]) { $0.process?.cwd = "/etc/passwd" }.failure == "cwd /etc/passwd 20"
            )
            #expect(try bundle.run(["true"], extra: ["closesGate": true]).failure == "gate  125")
        }
    }

    @Test func limitsHold() throws {
        try Bundle.with { bundle throws in
            let forks = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 1 & done; echo forked"
            let few = try bundle.shell(forks) { $0.linux.resources.pidsLimit = 8 }
            #expect(!few.lines.contains("forked") && few.errors.contains("can't fork"))
            let hungry = try bundle.shell("tail -c 100000000 /dev/zero") {
                $0.linux.resources.memory = .init(limit: 32 << 20, swap: 32 << 20)
            }
            #expect(hungry.report["oomKills"]?.integer ?? 0 > 0)
            let seen = try bundle.shell(
                "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null"
            ) {
                $0.linux.resources.memory = .init(limit: 32 << 20)
            }
            #expect(seen.lines == ["33554432"])
            let files = try bundle.shell("ulimit -n; ulimit -Hn") {
                $0.process?.rlimits = [.init(kind: .openFiles, soft: 50, hard: 60)]
            }
            #expect(files.lines == ["50", "60"])
            // Beyond what root may raise here: as much as can be had, not a failure.
            #expect(
                try bundle.run(["true"]) {
                    $0.process?.rlimits = [.init(kind: .openFiles, soft: .max, hard: .max)]
                    $0.process?.oomScoreAdj = -1000
                }.exitCode == 0
            )
        }
    }

    @Test func aTerminalIsTheContainersOwn() throws {
        try Bundle.with { bundle throws in
            let script =
                "tty; stty size; readlink /proc/self/fd/0; ls -1 /dev/pts; test -c /dev/console && echo console"
            let run = try bundle.run(["sh", "-c", script], extra: ["columns": 99])
            let shown = run.report["terminal"]?.string?.split(whereSeparator: \.isNewline).map(String.init)
            #expect(shown == ["/dev/pts/0", "25 99", "/dev/pts/0", "0", "ptmx", "console"])
        }
    }

    @Test func aNamespaceCanBeHeld() throws {
        try Bundle.with { bundle throws in
            let held = try bundle.run(
                ["sh", "-c", "ls /sys/class/net; cat /sys/class/net/lo/flags"],
                extra: ["holdsNetwork": true]
            )
            #expect(held.lines == ["lo", "0x9"])
            #expect(
                try bundle.shell("ls /sys/class/net; cat /sys/class/net/lo/flags").lines == ["lo", "0x9"]
            )
        }
    }
}
