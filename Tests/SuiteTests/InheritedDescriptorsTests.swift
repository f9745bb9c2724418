// SPDX-License-Identifier: Apache-2.0
import InitCore
import Suite
import System
import Testing

@Suite(.serialized)
struct InheritedDescriptorsTests {
    /// As many as one petrel-init may hold for many containers: one variable has no room for them.
    @Test func thousandsOfNamesArrive() throws {
        let names = (0..<3000).map { "\(String(repeating: "f", count: 64)).r1.\($0)" }
        let plan = LaunchPlan(
            daemon: "supervisor",
            root: "/r",
            run: "/s",
            faultPoints: nil,
            notifySocket: "/n",
            storedNames: names,
            inherited: [],
            openFiles: 1024
        )
        for line in plan.environment where line.hasPrefix("LISTEN_FDNAMES") {
            let parts = line.split(separator: "=", maxSplits: 1)
            SystemEnvironment.set(String(parts[0]), String(parts[1]))
        }
        #expect(InheritedDescriptors.takeNames() == ["supervisor"] + names)
        #expect(InheritedDescriptors.takeNames() == [])
    }
}
