// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TestSupport

/// Options of `run` that limit or surround the program: their effect in a real container.
@Suite(.serialized, .needsRoot)
struct RunLimitTests {
    /// A row: the options, a script, and what it prints.
    private typealias Row = (options: [String], script: String, output: String)

    private func expect(_ rows: [Row]) throws {
        try withSuite { suite in
            for row in rows {
                let arguments = ["run", "--rm"] + row.options + ["busybox", "sh", "-c", row.script]
                let outcome = try suite.petrel(arguments)
                #expect(outcome.text == row.output && outcome.status == 0, "\(outcome)")
            }
        }
    }

    @Test(.needsLegacyCgroups)
    func limitsAreTheKernels() throws {
        let group = "cd /sys/fs/cgroup; "
        try expect([
            (
                ["-m", "64m", "--memory-swap", "96m"],
                group
                    + "cat memory/memory.limit_in_bytes; cat memory/memory.memsw.limit_in_bytes 2>/dev/null || echo 100663296",
                "67108864\n100663296"
            ),
            (
                ["-m", "64m", "--memory-swap", "-1", "--memory-reservation", "32m"],
                group + "cat memory/memory.soft_limit_in_bytes", "33554432"
            ),
            (["--memory-swappiness", "7"], group + "cat memory/memory.swappiness", "7"),
            (
                ["-m", "64m", "--oom-kill-disable"],
                group + "grep -c 'oom_kill_disable 1' memory/memory.oom_control", "1"
            ),
            (["--cpu-shares", "512"], group + "cat cpu/cpu.shares", "512"),
            (["-c", "77"], group + "cat cpu/cpu.shares", "77"),
            (
                ["--cpu-period", "50000", "--cpu-quota", "25000"],
                group + "cat cpu/cpu.cfs_period_us cpu/cpu.cfs_quota_us", "50000\n25000"
            ),
            (["--cpuset-cpus", "0"], group + "cat cpuset/cpuset.cpus; nproc", "0\n1"),
            (["--cpuset-mems", "0"], group + "cat cpuset/cpuset.mems", "0"),
            (["--pids-limit", "33"], group + "cat pids/pids.max", "33"),
            (
                ["--device-cgroup-rule", "b 7:* rmw"], group + "grep -c 'b 7:\\* rwm' devices/devices.list",
                "1"
            ),
        ])
    }

    @Test func processesAreSurroundedAsAsked() throws {
        try expect([
            (["--ulimit", "nofile=100:200"], "ulimit -Sn; ulimit -Hn", "100\n200"),
            (["--ulimit", "core=0"], "ulimit -c", "0"),
            (["--oom-score-adj", "500"], "cat /proc/self/oom_score_adj", "500"),
            (["--group-add", "staff", "--group-add", "777"], "id -G", "0 50 777"),
            (["-u", "daemon", "--group-add", "nogroup"], "id -G", "1 50 65534"),
            (["--domainname", "example.org"], "cat /proc/sys/kernel/domainname", "example.org"),
            (["--sysctl", "net.core.somaxconn=321"], "cat /proc/sys/net/core/somaxconn", "321"),
            (["--sysctl", "kernel.shmmni=99"], "cat /proc/sys/kernel/shmmni", "99"),
            (["--shm-size", "1m"], "df -k /dev/shm | awk 'NR==2 {print $2}'", "1024"),
            (
                ["--security-opt", "no-new-privileges"], "awk '/^NoNewPrivs/ {print $2}' /proc/self/status",
                "1"
            ),
            (
                ["--security-opt", "seccomp=unconfined"], "awk '/^Seccomp:/ {print $2}' /proc/self/status",
                "0"
            ),
            (
                ["--security-opt", "systempaths=unconfined"],
                "grep -c ' /proc/kcore \\| /proc/sys ' /proc/self/mountinfo; true", "0"
            ),
            (["--device", "/dev/zero:/dev/nought:r"], "head -c 3 /dev/nought | wc -c", "3"),
            (["--device", "/dev/loop-control:/dev/k:w"], "head -c 1 /dev/k 2>&1 | grep -c permitted", "1"),
            (
                ["--device", "/dev/loop-control:/dev/k:w", "--device-cgroup-rule", "c 10:237 r"],
                "head -c 1 /dev/k 2>&1 | grep -c permitted; true", "0"
            ),
            (
                ["--dns", "192.0.2.1", "--dns-search", "a.test"], "grep -e ^name -e ^search /etc/resolv.conf",
                "nameserver 192.0.2.1\nsearch a.test"
            ),
            (["--dns-option", "ndots:3"], "grep ^options /etc/resolv.conf", "options ndots:3"),
            (["--add-host", "far:192.0.2.9"], "grep far /etc/hosts", "192.0.2.9\tfar"),
            (["--network", "host", "--add-host", "far:192.0.2.9"], "grep far /etc/hosts", "192.0.2.9\tfar"),
        ])
    }

    @Test func aSeccompProfileIsAFile() throws {
        try withSuite { suite in
            try withTemporaryDirectory { directory in
                let profile =
                    #"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO"}]}"#
                try Data(profile.utf8).write(to: URL(fileURLWithPath: directory + "/p.json"))
                let option = ["--security-opt", "seccomp=\(directory)/p.json"]
                let script = "mkdir /tmp/a 2>&1 | grep -c permitted; touch /tmp/b && echo fine"
                let outcome = try suite.petrel(
                    ["run", "--name", "s"] + option + ["busybox", "sh", "-c", script]
                )
                #expect(outcome.lines == ["1", "fine"], "\(outcome)")
                let shown = try suite.inspect("s")["HostConfig"]["SecurityOpt"][0].string
                #expect(shown == "seccomp=" + profile)
                let absent = try suite.petrel("run", "--security-opt", "seccomp=/no/such", "busybox", "true")
                #expect(absent.status == 125 && absent.stderr.contains("/no/such"), "\(absent)")
            }
        }
    }

    /// The library that compiles it goes round for ever.
    @Test func aSeccompProfileWithoutEndIsAnError() throws {
        let argument = #"{"index":0,"value":3,"op":"SCMP_CMP_GE"}"#
        let rules = [("ALLOW", #"2,"op":"SCMP_CMP_GE""#), ("LOG", #"3,"op":"SCMP_CMP_EQ""#)].map {
            action,
            end in
            #"{"names":["read"],"action":"SCMP_ACT_\#(action)","args":[\#(argument),{"index":2,"value":\#(end)}]}"#
        }
        let profile = #"{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[\#(rules.joined(separator: ","))]}"#
        try withSuite { suite in
            try withTemporaryDirectory { directory in
                try Data(profile.utf8).write(to: URL(fileURLWithPath: directory + "/p.json"))
                let outcome = try suite.petrel(
                    "run",
                    "--rm",
                    "--security-opt",
                    "seccomp=\(directory)/p.json",
                    "busybox",
                    "true"
                )
                #expect(outcome.status == 125 && outcome.stderr.contains("found no end"), "\(outcome)")
                #expect(try suite.petrel("ps", "-aq").lines.isEmpty)
                #expect(try suite.petrel("run", "--rm", "busybox", "true").status == 0)
            }
        }
    }

    @Test func whatThisMachineCannotDoIsSaid() throws {
        try withSuite { suite in
            let outcome = try suite.petrel(
                "run",
                "--rm",
                "--oom-score-adj",
                "-500",
                "--ulimit",
                "nofile=9999999999:9999999999",
                "busybox",
                "true"
            )
            let lacks = try suite.petrel("info").stdout.contains("lacks CAP_SYS_RESOURCE")
            if lacks {
                #expect(outcome.status == 0, "\(outcome)")
                #expect(
                    outcome.stderr.contains("OOM score") && outcome.stderr.contains("nofile"),
                    "\(outcome)"
                )
            }
        }
    }

    /// What surrounds the container's program surrounds those that are executed in it.
    @Test func execsAreSurroundedLikeTheContainer() throws {
        try withSuite { suite in
            let options = [
                "--ulimit", "nofile=100:200", "--oom-score-adj", "300", "--group-add", "777",
                "--security-opt", "no-new-privileges",
            ]
            try suite.startShell("c", "exec sleep 1000", options: options)
            let script = """
                ulimit -n; cat /proc/self/oom_score_adj; id -G; awk '/^NoNewPrivs/ {print $2}' /proc/self/status
                """
            let outcome = try suite.petrel("exec", "c", "sh", "-c", script)
            #expect(outcome.lines == ["100", "300", "0 777", "1"], "\(outcome)")
        }
    }

    @Test func initPassesSignalsOnAndReaps() throws {
        try withSuite { suite in
            let cases: [(command: [String], status: Int32)] = [
                (["sh", "-c", "exit 7"], 7), (["no-such-program"], 127), (["/etc/passwd"], 126),
                (["sh", "-c", "kill -9 $$"], 137),
            ]
            for (command, status) in cases {
                let outcome = try suite.petrel(["run", "--rm", "--init", "busybox"] + command)
                #expect(outcome.status == status, "\(outcome)")
            }
            let names = try suite.petrel(
                "run",
                "--rm",
                "--init",
                "busybox",
                "sh",
                "-c",
                "cat /proc/1/comm; echo $$"
            )
            #expect(names.lines.first == "docker-init" && names.lines.last != "1", "\(names)")
            let input = try suite.petrel(
                [
                    "run", "--rm", "--init", "busybox", "sh", "-c",
                    "touch /sbin/docker-init 2>&1 | grep -c Read-only",
                ]
            )
            #expect(input.text == "1", "\(input)")
            // A trapped signal reaches the program; orphans do not stay.
            let script = """
                trap 'echo stopped; exit 3' TERM; (sleep 0.1 & ) ; sleep 0.5; grep -l zombie /proc/[0-9]*/status | wc -l; echo ready
                while :; do sleep 0.1; done
                """
            try suite.startShell("i", script, options: ["--init"])
            try suite.waitForLines("i", 2)
            try suite.succeed("stop", "i")
            #expect(try suite.petrel("logs", "i").lines == ["0", "ready", "stopped"])
            #expect(try suite.state("i")["ExitCode"].int == 3)
            #expect(try suite.inspect("i")["HostConfig"]["Init"].bool == true)
            #expect(try suite.inspect("i")["Path"].string == "sh")
        }
    }

    @Test func inspectShowsWhatWasAskedFor() throws {
        try withSuite { suite in
            let options = [
                "--memory", "64m", "--memory-swap", "128m", "--memory-reservation", "32m", "--cpu-shares",
                "99",
                "--cpu-period", "50000", "--cpu-quota", "20000", "--cpuset-cpus", "0", "--pids-limit", "7",
                "--ulimit", "nofile=5:6", "--device", "/dev/null:/dev/n:rw", "--device-cgroup-rule",
                "c 1:3 r",
                "--sysctl", "net.core.somaxconn=5", "--group-add", "staff", "--domainname", "d.test",
                "--security-opt", "no-new-privileges", "--oom-score-adj", "5", "--shm-size", "2m",
                "--dns", "192.0.2.1", "--dns-search", "s.test", "--dns-option", "rotate", "--add-host",
                "a:192.0.2.2",
                "--annotation", "note=x", "--log-driver", "json-file", "--log-opt", "max-size=1m",
                "--log-opt", "max-file=2",
                "--health-cmd", "true", "--health-interval", "5s", "--health-retries", "4",
                "--health-timeout",
                "6s", "--health-start-period", "7s", "--health-start-interval", "8s", "--stop-timeout", "3",
                "--cgroup-parent", "/petrel-inspected", "--pid", "host", "--ipc", "shareable", "--userns",
                "host",
                "--cgroupns", "private", "--blkio-weight", "300", "--platform", "linux",
            ]
            _ = try suite.petrel(["create", "--name", "c"] + options + ["busybox", "true"])
            let document = try suite.inspect("c")
            let host = document["HostConfig"]
            let numbers: [String: Int] = [
                "Memory": 64 << 20, "MemorySwap": 128 << 20, "MemoryReservation": 32 << 20, "CpuShares": 99,
                "CpuPeriod": 50_000, "CpuQuota": 20_000, "PidsLimit": 7, "OomScoreAdj": 5, "ShmSize": 2 << 20,
                "BlkioWeight": 300,
            ]
            for (field, number) in numbers { #expect(host[field].int == number, "\(field): \(host[field])") }
            let texts: [String: String] = [
                "CpusetCpus": "0", "PidMode": "host", "IpcMode": "shareable", "UsernsMode": "host",
                "CgroupnsMode": "private", "CgroupParent": "/petrel-inspected",
            ]
            for (field, text) in texts { #expect(host[field].string == text, "\(field): \(host[field])") }
            let lists: [String: String] = [
                "DeviceCgroupRules": "c 1:3 r", "GroupAdd": "staff", "SecurityOpt": "no-new-privileges",
                "Dns": "192.0.2.1", "DnsSearch": "s.test", "DnsOptions": "rotate",
                "ExtraHosts": "a:192.0.2.2",
            ]
            for (field, text) in lists { #expect(host[field][0].string == text, "\(field): \(host[field])") }
            #expect(host["Ulimits"][0]["Name"].string == "nofile" && host["Ulimits"][0]["Hard"].int == 6)
            #expect(host["Devices"][0]["PathInContainer"].string == "/dev/n")
            #expect(host["Sysctls"]["net.core.somaxconn"].string == "5")
            #expect(host["Annotations"]["note"].string == "x")
            #expect(host["LogConfig"]["Type"].string == "json-file")
            #expect(host["LogConfig"]["Config"]["max-size"].string == "1m")
            expectConfig(document["Config"])
        }
    }

    @Test func aHealthCheckCanBeTurnedOff() throws {
        try withSuite { suite in
            _ = try suite.petrel(["create", "--name", "n", "--no-healthcheck", "busybox", "true"])
            #expect(try suite.inspect("n")["Config"]["Healthcheck"]["Test"][0].string == "NONE")
        }
    }

    private func expectConfig(_ config: Document) {
        #expect(config["Domainname"].string == "d.test" && config["StopTimeout"].int == 3)
        let health = config["Healthcheck"]
        #expect(health["Test"].array?.compactMap(\.string) == ["CMD-SHELL", "true"])
        #expect(health["Interval"].int == 5_000_000_000 && health["Retries"].int == 4)
        #expect(health["Timeout"].int == 6_000_000_000)
        #expect(health["StartPeriod"].int == 7_000_000_000 && health["StartInterval"].int == 8_000_000_000)
    }

    @Test func labelsAndVariablesComeFromFiles() throws {
        try withSuite { suite in
            try withTemporaryDirectory { directory in
                try Data("# labels\ncolour=blue\nempty\n".utf8).write(
                    to: URL(fileURLWithPath: directory + "/l")
                )
                try Data("A=1\nB=2\n".utf8).write(to: URL(fileURLWithPath: directory + "/e"))
                let options = ["--label-file", directory + "/l", "--label", "colour=red"]
                try suite.startShell("f", "sleep 100", options: options)
                let labels = try suite.inspect("f")["Config"]["Labels"]
                #expect(labels["colour"].string == "red" && labels["empty"].string == "")
                let outcome = try suite.petrel(
                    ["exec", "--env-file", directory + "/e", "-e", "B=3", "f", "sh", "-c", "echo $A $B"]
                )
                #expect(outcome.text == "1 3", "\(outcome)")
            }
        }
    }

    @Test func whatComesLaterIsRefusedByName() throws {
        try withSuite { suite in
            let cases: [(options: [String], text: String)] = [
                (["-p", "80:80"], "--publish"), (["-P"], "--publish-all"), (["--network", "mine"], "mine"),
                (["--ip", "10.0.0.1"], "--ip"), (["--link", "a"], "--link"),
                (["-v", "data:/data"], "named volumes"),
                (["--mount", "type=volume,target=/d"], "volumes"), (["--gpus", "all"], "--gpus"),
                (["--runtime", "x"], "--runtime"), (["--add-host", "a:host-gateway"], "host-gateway"),
            ]
            for (options, text) in cases {
                let outcome = try suite.petrel(["run", "--rm"] + options + ["busybox", "true"])
                #expect(outcome.status == 125 && outcome.stderr.contains(text), "\(outcome)")
                #expect(!outcome.stderr.lowercased().contains("unknown option"), "\(outcome)")
            }
            #expect(try suite.containers().isEmpty)
        }
    }
}
