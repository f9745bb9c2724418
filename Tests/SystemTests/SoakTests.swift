// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TestSupport

/// What scripts/soak does at length, in small: much at the same time, and nothing of it stays, sticks or is lost.
@Suite(.serialized, .needsRoot)
struct SoakTests {
    /// Prints a line for each step that ended otherwise than it must.
    private static let cycles = #"""
        petrel=$1 lane=$2 count=$3
        step() {
            expected=$1; shift
            said=$(timeout 60 "$petrel" "$@" 2>&1)
            got=$?
            [[ " $expected " = *" $got "* ]] || echo "$*: $got, not $expected: $said"
        }
        for ((i = 1; i <= count; i++)); do
            name=c$lane-$i code=$((lane * 20 + i))
            step 0 create --name $name busybox sh -c "mkfifo /go; read x </go; exit $code"
            step 0 start $name
            step $((code + 1)) exec $name sh -c "exit $((code + 1))"
            # The container's end may kill it.
            step "0 137" exec $name sh -c 'echo >/go'
            told="$got $said"
            waited=$(timeout 60 "$petrel" wait $name 2>&1)
            [ "$waited" = $code ] || echo "wait $name: $waited, not $code; the exec before: $told"
            step 0 rm $name
        done
        """#

    /// Lanes of cycles side by side.
    private func startLanes(_ suite: PetrelSuite, cycles: Int) throws -> [ChildProcess] {
        var environment = ProcessInfo.processInfo.environment
        environment["PETREL_ROOT"] = suite.root
        environment["PETREL_RUN"] = suite.run
        var lanes: [ChildProcess] = []
        for lane in 0..<4 {
            let arguments = ["-c", Self.cycles, "lane", binaries + "/petrel", "\(lane)", "\(cycles)"]
            lanes.append(try ChildProcess("/bin/bash", arguments, environment: environment))
        }
        return lanes
    }

    private func isAny(running lanes: [ChildProcess]) -> Bool {
        for lane in lanes where lane.isRunning { return true }
        return false
    }

    private func findings(of lanes: [ChildProcess]) throws -> [String] {
        var lines: [String] = []
        for lane in lanes { lines += try lane.finish(within: 90).lines }
        return lines
    }

    private func descriptors(_ suite: PetrelSuite) throws -> [String: Int] {
        var counts: [String: Int] = [:]
        for daemon in Daemon.allCases {
            counts[daemon.rawValue] = HostProcess.descriptors(of: try suite.pid(of: daemon)).count
        }
        counts["init"] = HostProcess.descriptors(of: try #require(suite.initPID)).count
        return counts
    }

    /// Forty lives, four at a time, while keepers and daemons die: each has its exit codes, and of none anything stays.
    @Test func livesAmidKillsAreWholeAndLeaveNothing() throws {
        try withSuite { suite in
            let warmUp = try findings(of: startLanes(suite, cycles: 2))
            #expect(warmUp == [])
            suite.expectNoRemains("in peace")
            let before = try descriptors(suite)
            let lanes = try startLanes(suite, cycles: 10)
            let kills = killUntilEnd(of: lanes, suite)
            let wrong = try findings(of: lanes)
            #expect(wrong == [])
            #expect(kills > 5)
            try suite.waitUntilHealthy()
            #expect(try suite.containers() == [])
            suite.expectNoRemains("amid kills")
            let end = Date().addingTimeInterval(10)
            while try Date() < end && isMore(descriptors(suite), than: before) { pass(seconds: 0.1) }
            for (name, count) in try descriptors(suite) {
                let usual = before[name] ?? 0
                #expect(count <= usual + Self.readers, "\(name) has \(count) descriptors, not \(usual)")
            }
        }
    }

    /// A database opens a reader when several ask at a time: two descriptors each, four readers at most. A leak would be one
    /// for each of forty lives.
    private static let readers = 8

    private func isMore(_ counts: [String: Int], than before: [String: Int]) -> Bool {
        for (name, count) in counts where count > (before[name] ?? 0) + Self.readers { return true }
        return false
    }

    /// - Returns: How many were killed.
    private func killUntilEnd(of lanes: [ChildProcess], _ suite: PetrelSuite) -> Int {
        var daemonDue = Date().addingTimeInterval(1)
        var kills = 0
        let end = Date().addingTimeInterval(90 * patience)
        while Date() < end, isAny(running: lanes) {
            if Date() > daemonDue, let daemon = Daemon.allCases.randomElement() {
                if let pid = try? suite.pid(of: daemon) { Foundation.kill(pid, SIGKILL) }
                daemonDue = Date().addingTimeInterval(Double.random(in: 0.5...2))
                kills += 1
            } else if let keeper = anyKeeper(of: suite) {
                Foundation.kill(keeper, SIGKILL)
                kills += 1
            }
            pass(seconds: Double.random(in: 0.05...0.25))
        }
        return kills
    }

    /// Not a process on its way from a keeper's clone to the container's program: that is the container.
    private func isKeeper(_ pid: Int32) -> Bool {
        let status = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
        let lines = status.split(separator: "\n")
        guard let name = lines.first(where: { $0.hasPrefix("Name:") }), name.hasSuffix("\tpetrel-keeper"),
            let parent = lines.first(where: { $0.hasPrefix("PPid:") })?.split(separator: "\t").last
        else {
            return false
        }
        let numbers = lines.first { $0.hasPrefix("NSpid:") }?.split(whereSeparator: \.isWhitespace) ?? []
        // A keeper's clone bears its name for a moment.
        let isClone = HostProcess.arguments(of: Int32(parent) ?? 0).first?.hasSuffix("petrel-keeper") == true
        return numbers.count == 2 && !isClone
    }

    private func anyKeeper(of suite: PetrelSuite) -> Int32? {
        var keepers: [Int32] = []
        for process in HostProcess.all(mentioning: suite.root)
        where process.arguments[0].hasSuffix("petrel-keeper") && isKeeper(process.pid) {
            keepers.append(process.pid)
        }
        return keepers.randomElement()
    }

    /// Output that nobody reads until all of it is there, and many that follow: nobody waits or grows, and none misses a
    /// byte.
    @Test func aFloodThatNobodyReadsAndManyFollowersHoldUpNobody() throws {
        try withSuite { suite in
            let size = 200 << 20
            try suite.startShell(
                "lines",
                "i=0; while [ ! -e /end ]; do echo $i; i=$((i+1)); usleep 10000; done"
            )
            let flood = try suite.startShell(
                "flood",
                "mkfifo /go; read x </go; exec dd if=/dev/zero bs=1M count=200 2>/dev/null",
                options: ["--log-opt", "max-size=50m", "--log-opt", "max-file=20"]
            )
            let followers = try (0..<20).map { _ in try suite.background(["logs", "-f", "lines"]) }
            let unread = try [["logs", "-f", "flood"], ["attach", "--no-stdin", "flood"]].map {
                try suite.background($0, stdout: .neverRead)
            }
            try eventually("first lines") { followers.allSatisfy { $0.output.count > 20 } }
            // Attached, though nothing says so while there is no output.
            pass(seconds: 1)
            let keeper = try #require(suite.keeper(of: flood))
            let processes = try Daemon.allCases.map { try suite.pid(of: $0) } + [keeper]
            let before = processes.map { HostProcess.memory(of: $0) }
            let quiet = try secondsOfAnExec(suite)
            try suite.succeed("exec", "flood", "sh", "-c", "echo >/go")
            let busy = try secondsOfAnExec(suite)
            #expect(busy < max(10 * quiet, 0.5), "an exec took \(quiet) s before, and now \(busy) s")
            #expect(try suite.petrel("wait", "flood").text == "0")
            for (process, size) in zip(processes, before) where HostProcess.isAlive(process) {
                let grown = (HostProcess.memory(of: process) - size) >> 20
                #expect(grown < 24, "\(HostProcess.arguments(of: process)) has \(grown) MB more")
            }
            for client in unread {
                #expect(readAll(client.unreadOutput, atMost: size) == size)
                #expect(try client.finish().status == 0)
            }
            try suite.succeed("exec", "lines", "touch", "/end")
            try suite.waitUntil("lines", is: "exited")
            let all = try suite.petrel("logs", "lines").stdout
            expectCounts(all, atLeast: 100, of: "lines")
            for follower in followers {
                let outcome = try follower.finish()
                #expect(outcome.status == 0 && outcome.stdout == all, "\(outcome)")
            }
        }
    }

    /// The median of some.
    private func secondsOfAnExec(_ suite: PetrelSuite) throws -> Double {
        let times = try (0..<9).map { _ in
            let begin = Date()
            try suite.succeed("exec", "lines", "true")
            return Date().timeIntervalSince(begin)
        }
        return times.sorted()[4]
    }

    /// Reads as many bytes, or fewer if the output ends before, or stalls for ten seconds.
    private func readAll(_ descriptor: Int32, atMost size: Int) -> Int {
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var count = 0
        while count < size {
            var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard Foundation.poll(&poll, 1, Int32(10_000 * patience)) == 1 else { return count }
            let got = read(descriptor, &buffer, buffer.count)
            guard got > 0 else { return count }
            count += got
        }
        return count
    }
}
