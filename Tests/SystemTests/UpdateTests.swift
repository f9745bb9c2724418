// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TestSupport

@Suite(.serialized, .needsRoot)
struct UpdateTests {
    /// A file of the container's control group, in whichever hierarchy has it.
    private func group(_ id: String, _ files: String...) throws -> String? {
        let mounts = try String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)
        for line in mounts.split(separator: "\n") where line.contains(" - cgroup") {
            let point = String(line.split(separator: " ")[4])
            let suites = (try? FileManager.default.contentsOfDirectory(atPath: point)) ?? []
            for suite in suites where suite.hasPrefix("petrel-") {
                for file in files {
                    let path = "\(point)/\(suite)/\(id)/\(file)"
                    if let text = try? String(contentsOfFile: path, encoding: .utf8) {
                        return text.trimmingCharacters(in: .whitespacesAndNewlines)
                    }
                }
            }
        }
        return nil
    }

    private func memory(_ id: String) throws -> String? {
        try group(id, "memory.limit_in_bytes", "memory.max")
    }
    private func pids(_ id: String) throws -> String? { try group(id, "pids.max") }

    @Test func limitsAreChangedAtOnceAndForTheNextStart() throws {
        try withSuite { suite in
            let id = try suite.startShell("u", "sleep 1000", options: ["-m", "64m"])
            #expect(try suite.succeed("update", "--memory", "96m", "--pids-limit", "77", "u") == "u")
            #expect(try memory(id) == "100663296" && pids(id) == "77")
            let host = try suite.inspect("u")["HostConfig"]
            #expect(host["Memory"].int == 100_663_296 && host["PidsLimit"].int == 77, "\(host)")
            try suite.succeed("update", "--cpus", "0.5", "--cpu-shares", "512", "u")
            let quota = try group(id, "cpu.cfs_quota_us", "cpu.max")
            #expect(quota == "50000" || quota == "50000 100000", "\(quota ?? "")")
            try suite.succeed("restart", "-t", "0", "u")
            #expect(try memory(id) == "100663296" && pids(id) == "77")
            #expect(try suite.inspect("u")["HostConfig"]["NanoCpus"].int == 500_000_000)
        }
    }

    @Test func theWeightOfBlockIOIsChangedOrSaidToBeWithout() throws {
        try withSuite { suite in
            let id = try suite.startShell("u", "sleep 1000")
            let updated = try suite.petrel("update", "--blkio-weight", "300", "u")
            #expect(updated.status == 0 && updated.stdout == "u\n", "\(updated)")
            #expect(try suite.inspect("u")["HostConfig"]["BlkioWeight"].int == 300)
            if let weight = try group(id, "blkio.bfq.weight", "io.bfq.weight") {
                #expect(weight.hasSuffix("300") && updated.stderr == "", "\(weight) \(updated)")
            } else if FileManager.default.fileExists(atPath: "/sys/fs/cgroup/blkio") {
                #expect(updated.stderr.contains("WARNING: the block IO weight is discarded"), "\(updated)")
            }
            let refused = try suite.petrel("update", "--blkio-weight", "9", "u")
            #expect(refused.status == 1 && refused.stderr.contains("10 to 1000"), "\(refused)")
        }
    }

    @Test func whatIsRefusedChangesNothing() throws {
        try withSuite { suite in
            let id = try suite.startShell("u", "sleep 1000", options: ["-m", "64m"])
            // The kernel has no such CPU; the new limit of processes goes with it.
            let refused = try suite.petrel("update", "--pids-limit", "50", "--cpuset-cpus", "4000", "u")
            #expect(refused.status == 1, "\(refused)")
            #expect(try pids(id) == "max")
            #expect(try suite.inspect("u")["HostConfig"]["PidsLimit"].int == nil)
            for bad in [
                ["--memory", "1m"], ["--memory", "1g"], ["--memory-swap", "32m"], ["--cpus", "0.001"],
                ["--cpu-shares", "1"], ["--restart", "sometimes"], [],
            ] {
                let outcome = try suite.petrel(["update"] + bad + ["u"])
                #expect(outcome.status != 0, "\(outcome)")
            }
            #expect(try memory(id) == "67108864")
            try suite.succeed("restart", "-t", "0", "u")
            #expect(try pids(id) == "max" && memory(id) == "67108864")
        }
    }

    /// Wherever its control group is.
    @Test func aContainerInAnotherGroupIsPausedAndUpdatedToo() throws {
        try withSuite { suite in
            let parent = "petrel-test-\(UInt32.random(in: 0...UInt32.max))"
            let options = ["--cgroup-parent", parent, "-m", "64m", "--memory-swap", "64m"]
            let id = try suite.startShell(
                "g",
                "i=0; while :; do echo $i; i=$((i+1)); usleep 10000; done",
                options: options
            )
            let refused = try suite.petrel("update", "-m", "96m", "g")
            #expect(refused.status == 1 && refused.stderr.contains("--memory-swap"), "\(refused)")
            try suite.succeed("update", "-m", "96m", "--memory-swap", "96m", "g")
            #expect(try memory(id) == "100663296")
            try suite.succeed("pause", "g")
            let count = try suite.petrel("logs", "g").lines.count
            pass(seconds: 0.5)
            #expect(try suite.petrel("logs", "g").lines.count == count)
            try suite.succeed("rm", "-f", "g")
        }
    }

    @Test func theRestartPolicyIsChanged() throws {
        try withSuite { suite in
            try suite.startShell("r", "echo run; sleep 1; exit 1")
            try suite.succeed("update", "--restart", "on-failure:1", "r")
            try eventually("a restart") { try suite.inspect("r")["RestartCount"].int == 1 }
            try suite.waitUntil("r", is: "exited")
            let policy = try suite.inspect("r")["HostConfig"]["RestartPolicy"]
            #expect(policy["Name"].string == "on-failure" && policy["MaximumRetryCount"].int == 1)
            try suite.startShell("a", "sleep 1000", options: ["--rm"])
            #expect(try suite.petrel("update", "--restart", "always", "a").status == 1)
        }
    }

    @Test(arguments: FaultPointNames.of("update")) func aDeathThereLeavesAllOrNothing(_ point: String) throws
    {
        try withSuite { suite in
            let id = try suite.startShell("u", "sleep 1000", options: ["-m", "64m"])
            try suite.arm(point)
            let arguments = ["update", "-m", "96m", "--pids-limit", "77", "--restart", "always", "u"]
            let outcome = try suite.petrel(arguments)
            try suite.waitUntilHealthy()
            #expect(!suite.isArmed(point) && outcome.status == 0, "\(point): \(outcome)")
            #expect(try memory(id) == "100663296" && pids(id) == "77")
            let host = try suite.inspect("u")["HostConfig"]
            #expect(host["Memory"].int == 100_663_296 && host["PidsLimit"].int == 77, "\(host)")
            #expect(host["RestartPolicy"]["Name"].string == "always")
            try suite.succeed("restart", "-t", "0", "u")
            #expect(try memory(id) == "100663296" && pids(id) == "77")
            try suite.succeed("rm", "-f", "u")
            suite.expectNoRemains(point)
        }
    }
}
