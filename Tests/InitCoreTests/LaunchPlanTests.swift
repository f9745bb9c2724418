// SPDX-License-Identifier: Apache-2.0
import InitCore
import Testing

@Suite struct LaunchPlanTests {
    private func plan(_ names: [String] = [], inherited: [String] = [], faults: String? = nil) -> LaunchPlan {
        LaunchPlan(
            daemon: "engine",
            root: "/r",
            run: "/s",
            faultPoints: faults,
            notifySocket: "/s/notify.sock",
            storedNames: names,
            inherited: inherited,
            openFiles: 1024
        )
    }

    @Test func saysWhereThingsAre() {
        #expect(plan().arguments == ["--root", "/r", "--run", "/s"])
        #expect(plan(faults: "/f").arguments == ["--root", "/r", "--run", "/s", "--fault-points", "/f"])
        let environment = plan(["a", "b"]).environment
        #expect(environment.contains("NOTIFY_SOCKET=/s/notify.sock"))
        #expect(environment.contains("LISTEN_FDS=3") && environment.contains("LISTEN_FDNAMES=engine:a:b"))
        #expect(!environment.contains { $0.hasPrefix("LISTEN_PID") })
    }

    @Test func handsOnOnlyOurOwnVariables() {
        let environment = plan(
            inherited: [
                "HOME=/root", "LD_PRELOAD=x", "PETREL_LOG=debug", "PETREL_ROOT=/other", "PATH=/evil",
                "PETREL_OPEN_FILES=9",
            ]
        ).environment
        #expect(environment.contains("PETREL_LOG=debug") && environment.contains("PETREL_ROOT=/r"))
        #expect(environment.filter { $0.hasPrefix("PETREL_OPEN_FILES") } == ["PETREL_OPEN_FILES=1024"])
        #expect(!environment.contains { $0.hasPrefix("HOME") || $0.hasPrefix("LD_") || $0.contains("other") })
        #expect(environment.filter { $0.hasPrefix("PATH=") }.count == 1)
    }

    @Test func manyNamesAreSplitBelowTheKernelsLimit() {
        let names = (0..<16_384).map { "0123456789ab.run.standard-output.\($0)" }
        let lists = plan(names).environment.filter { $0.hasPrefix("LISTEN_FDNAMES") }
        #expect(lists.count > 1 && lists.allSatisfy { $0.utf8.count < 128 << 10 })
        let whole = lists.flatMap { list in
            list.split(separator: "=", maxSplits: 1)[1].split(separator: ":").map(String.init)
        }
        #expect(whole == ["engine"] + names)
    }

    @Test func waitStatusesReadWell() {
        #expect(WaitStatus(0x2a00).description == "exited with code 42")
        #expect(WaitStatus(9).description == "was killed by signal 9")
        #expect(WaitStatus(nil).description == "ended with an unknown status")
    }
}
