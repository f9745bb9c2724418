// SPDX-License-Identifier: Apache-2.0
import JSON
import RuntimeSpec
import TestSupport
import Testing

@Suite(.needsRoot, .serialized)
struct ExecTests {
    private func exec(_ bundle: Bundle, _ process: ProcessSpec, filter: Bool = true) throws -> Bundle.Run {
        try bundle.run(["sleep", "30"], filter: filter, extra: ["exec": process.json])
    }

    @Test func aProcessJoinsTheContainer() throws {
        try Bundle.with { bundle throws in
            var process = ProcessSpec(args: [
                "sh", "-c", "echo $$ $HOME; hostname; pwd; ls /; cat /proc/1/comm; exit 9",
            ])
            process.env = ["PATH=/bin"]
            process.cwd = "/tmp"
            let run = try exec(bundle, process)
            #expect(run.report["exec"]?["status"]?.integer == 9 << 8)
            #expect(
                run.lines == ["2 /root", "box", "/tmp", "bin", "dev", "etc", "proc", "sys", "tmp", "sleep"]
            )
        }
    }

    @Test func itHasNoMoreThanTheContainer() throws {
        try Bundle.with { bundle throws in
            var process = ProcessSpec(
                args: ["grep", "-E", "^(CapBnd|Seccomp|CapEff):", "/proc/self/status"],
                env: ["PATH=/bin"]
            )
            #expect(
                try exec(bundle, process).lines == [
                    "CapEff:\t00000000a80425fb", "CapBnd:\t00000000a80425fb", "Seccomp:\t2",
                ]
            )
            process.args = [
                "sh", "-c",
                "cat /proc/self/cgroup | grep -c /$; cat /sys/fs/cgroup/pids/pids.current; ls /proc/self/fd",
            ]
            let run = try exec(bundle, process)
            #expect(run.lines.suffix(4) == ["0", "1", "2", "3"])
            process.user.username = "meg"
            process.args = ["id", "-G"]
            #expect(try exec(bundle, process).lines == ["1001 50"])
        }
    }

    @Test func itsTerminalIsInTheContainersOwnDirectory() throws {
        try Bundle.with { bundle throws in
            var process = ProcessSpec(args: ["sh", "-c", "tty; stty size; id -u; echo again > $(tty)"])
            process.env = ["PATH=/bin"]
            process.user.username = "meg"
            let run = try bundle.run(
                ["sleep", "30"],
                filter: true,
                extra: ["exec": process.json, "execColumns": 70]
            )
            let shown = run.report["exec"]?["terminal"]?.string?.split(whereSeparator: \.isNewline).map(
                String.init
            )
            #expect(shown == ["/dev/pts/0", "25 70", "1000", "again"])
        }
    }

    @Test func aContainerWithoutTerminalsSaysSo() throws {
        try Bundle.with { bundle throws in
            let process = ProcessSpec(args: ["true"], env: ["PATH=/bin"])
            let run = try bundle.run(["sleep", "30"], extra: ["exec": process.json, "execColumns": 70]) {
                $0.mounts.removeAll { $0.destination == "/dev/pts" }
            }
            #expect(run.execFailure == "terminal /dev/pts 2")
        }
    }

    /// The process is cloned when its filter may be there already, and leads a session of its own.
    @Test(arguments: [["clone", "clone3", "fork", "vfork"], ["setsid"], []])
    func aFilterThatRefusesWhatIsStillToBeDoneIsNoHindrance(refused: [String]) throws {
        try Bundle.with { bundle throws in
            let process = ProcessSpec(
                args: ["grep", "-E", "^(NoNewPrivs|Seccomp|CapPrm):", "/proc/self/status"],
                env: ["PATH=/bin"]
            )
            for forbids in [false, true] {
                let run = try bundle.run(["sleep", "30"], extra: ["exec": process.json]) {
                    $0.process?.noNewPrivileges = forbids
                    $0.linux.seccomp = SeccompSpec(
                        defaultAction: .allow,
                        rules: refused.isEmpty ? [] : [.init(refused, .errno)]
                    )
                }
                #expect(
                    run.lines == [
                        "CapPrm:\t00000000a80425fb", "NoNewPrivs:\t\(forbids ? 1 : 0)", "Seccomp:\t2",
                    ],
                    "\(run)"
                )
            }
        }
    }

    @Test func itLeadsASessionAndHasItsLimits() throws {
        try Bundle.with { bundle throws in
            // busybox: pid (comm) state parent group session.
            var process = ProcessSpec(
                args: [
                    "sh", "-c",
                    "read p c s q g l rest < /proc/self/stat; echo $q $((g - p)) $((l - p)); ulimit -u",
                ],
                env: ["PATH=/bin"]
            )
            process.user.uid = 4242
            process.rlimits = [.init(kind: .processes, soft: 1, hard: 1)]
            let run = try exec(bundle, process)
            #expect(run.lines == ["0 0 0", "1"], "\(run)")
        }
    }

    @Test func failuresNameTheStep() throws {
        try Bundle.with { bundle throws in
            var process = ProcessSpec(args: ["nope"], env: ["PATH=/bin"])
            #expect(try exec(bundle, process).execFailure == "execve nope 2")
            // Only a container's first process has its directory made.
            process.cwd = "/made/for/it"
            for _ in 1...2 { #expect(try exec(bundle, process).execFailure == "cwd /made/for/it 2") }
            process.cwd = "/etc/passwd"
            #expect(try exec(bundle, process).execFailure == "cwd /etc/passwd 20")
            process.cwd = "/"
            process.user.username = "nobody"
            #expect(try exec(bundle, process).execFailure == "user nobody 2")
        }
    }
}
