// SPDX-License-Identifier: Apache-2.0
internal import JSON
internal import System

/// Both sides of a probe's own process.
package enum ProbeProcess {
    /// The first argument that makes `petrel` a probe.
    package static let word = "__probe"
    private static let patience: Int64 = 10_000_000_000

    /// The probe's side: for a process with one thread, which ends afterwards.
    /// - Parameter arguments: The probe's name and the place.
    package static func main(_ arguments: [String]) -> Int32 {
        guard arguments.count == 2 else { return 2 }
        if arguments[0] == "hold-user-namespace" {
            return (try? MountProbes.holdUserNamespace()) == nil ? 1 : 0
        }
        guard let probe = Probe(rawValue: arguments[0]) else { return 2 }
        let line = probe.run(place: arguments[1]).json.serialized() + [0x0a]
        return (try? Files.writeAll(1, line)) == nil ? 1 : 0
    }

    /// Runs a probe in a process of its own; one that dies or hangs is a finding too.
    package static func run(_ probe: Probe, place: String) -> Finding {
        do throws(SystemError) {
            let output = try Pipe()
            let child = try start(probe, place, output.writeEnd.raw)
            defer { finish(child.process.raw) }
            var entries = [Poll.Entry(child.process.raw)]
            try Poll.wait(&entries, deadlineNanos: Clock.bootNanos + patience)
            guard !entries[0].found.isEmpty else {
                return Finding(
                    probe.rawValue,
                    .missing,
                    "no answer within 10 s",
                    "The kernel hangs in this probe."
                )
            }
            try Files.setNonBlocking(output.readEnd.raw)
            let bytes = try Files.readSome(output.readEnd.raw, limit: 64 << 10)
            if let json = try? JSON(parsing: bytes), let finding = Finding(json) { return finding }
            return Finding(probe.rawValue, .missing, "the probe died", "This could not be tried.")
        } catch {
            return Finding(probe.rawValue, .missing, "\(error)", "This could not be tried.")
        }
    }

    private static func start(_ probe: Probe, _ place: String, _ output: Int32) throws(SystemError)
        -> Spawn.Child
    {
        try Spawn(path: "/proc/self/exe", arguments: [word, probe.rawValue, place], descriptors: [1: output])
            .start()
    }

    /// Ends the child should it still run, and reaps it.
    private static func finish(_ child: Int32) {
        try? ProcessHandle.signal(child, .kill)
        var entries = [Poll.Entry(child)]
        try? Poll.wait(&entries, deadlineNanos: Clock.bootNanos + 2_000_000_000)
        try? ProcessHandle.reap(child)
    }
}
