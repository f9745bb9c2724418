// SPDX-License-Identifier: Apache-2.0
import SupervisorCore
import System
import TestSupport
import Testing

/// Which processes are taken for keepers.
struct KeeperProgramTests {
    /// A shell in a file of that name, with these arguments, that waits; it ends with this.
    private final class StandIn {
        let pid: Int32
        private let process: Descriptor
        private let input: Pipe

        init(_ name: String, in directory: String, _ arguments: [String]) throws {
            let path = directory + "/" + name
            if !Files.exists(path) {
                try Files.replace(path, with: try Files.contents(of: "/bin/sh"), mode: 0o755)
            }
            input = try Pipe()
            let child = try Spawn(
                path: path,
                name: "petrel-keeper",
                arguments: ["-c", "read line", "x"] + arguments,
                environment: [],
                descriptors: [0: input.readEnd.raw]
            ).start()
            pid = child.pid
            process = try child.process.duplicate()
        }

        deinit {
            try? ProcessHandle.signal(process.raw, .kill)
            _ = try? Children.reap(pid)
        }
    }

    @Test func theyAreFoundByNameAndDirectory() throws {
        try withTemporaryDirectory { directory in
            let containers = directory + "/containers"
            let keeper = try StandIn("petrel-keeper", in: directory, ["--container", containers + "/a"])
            let others = [
                // Until it has its container's id, one that waits has another name, whatever its arguments say by then.
                try StandIn("petrel-waiter", in: directory, ["--container", containers + "/b"]),
                try StandIn("petrel-keeper", in: directory, ["--container", directory + "/others/c"]),
                try StandIn("petrel-keeper", in: directory, ["--container"]),
            ]
            try eventually("the stand-ins run") {
                try (others + [keeper]).allSatisfy { standIn in
                    try Files.text(of: "/proc/\(standIn.pid)/comm").hasPrefix("petrel-")
                }
            }
            #expect(KeeperProgram.running(below: containers) == [containers + "/a": [keeper.pid]])
            withExtendedLifetime(others) {}
        }
    }
}
