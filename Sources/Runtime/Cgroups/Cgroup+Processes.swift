// SPDX-License-Identifier: Apache-2.0
package import System

extension Cgroup {
    /// The numbers of all processes in the group and below it; empty when it is gone.
    package func processes() -> [Int32] {
        var seen: Set<Int32> = []
        for directory in directories { Self.collect(directory, into: &seen) }
        return seen.sorted()
    }

    private static func collect(_ directory: String, into seen: inout Set<Int32>) {
        guard let text = try? Files.text(of: directory + "/cgroup.procs") else { return }
        for line in text.split(separator: "\n") {
            // 0 is a process of another process namespace.
            if let pid = Int32(line), pid > 0 { seen.insert(pid) }
        }
        for child in (try? children(of: directory)) ?? [] { collect(directory + "/" + child, into: &seen) }
    }

    /// Sends SIGKILL to every process, also those that fork meanwhile; does not wait for their ends.
    package func killAll() throws(SystemError) {
        if let directory = unifiedDirectory {
            do throws(SystemError) {
                // Reaches frozen processes too.
                try Files.writeOnce("1", to: directory + "/cgroup.kill")
                if layout.kind == .unified || processes().isEmpty { return }
            } catch {
                guard error.code == 2 else { throw error }
            }
        }
        // Frozen processes cannot fork, so one round reaches all; a frozen v1 group dies only once it is thawed.
        for _ in 0..<50 {
            let present = processes()
            if present.isEmpty { break }
            try setLegacyFreezer("FROZEN")
            for pid in processes() { try? Signal.kill.send(to: pid) }
            try setLegacyFreezer("THAWED")
            if layout.hierarchy(of: "freezer") != nil { break }
            Clock.sleep(nanos: 1_000_000)
        }
    }

    /// The same after the end of a process namespace that all were born in: the kernel has killed them then, and what is left
    /// at most is a process that was about to be born there, which is in the version 2 group, too.
    /// - Throws: what the kernel refuses.
    package func killRest() throws(SystemError) {
        guard let directory = unifiedDirectory else { return try killAll() }
        do throws(SystemError) { try Files.writeOnce("1", to: directory + "/cgroup.kill") } catch {
            // Kernels before 5.14 have no such file.
            guard error.code == 2 else { throw error }
            try killAll()
        }
    }

    /// Stops every process where it is, and returns once the kernel says that they stand.
    /// - Parameter deadlineNanos: Boot time.
    /// - Throws: `ETIMEDOUT` after the deadline (the group is thawed again); `ENODEV` without a freezer.
    package func freeze(deadlineNanos: Int64) throws(SystemError) {
        do throws(SystemError) {
            if let directory = unifiedDirectory, Files.exists(directory + "/cgroup.freeze") {
                try Files.writeOnce("1", to: directory + "/cgroup.freeze")
                while try !isFrozen() { try Self.pause(before: deadlineNanos) }
            } else {
                guard layout.hierarchy(of: "freezer") != nil else {
                    throw SystemError("freeze", path: path, code: 19)
                }
                // Processes that forked or were in a system call need the request again.
                repeat {
                    try setLegacyFreezer("FROZEN")
                } while try !isFrozen() && Self.mayPause(before: deadlineNanos)
                guard try isFrozen() else { throw SystemError("freeze", path: path, code: 110) }
            }
        } catch {
            try? thaw()
            throw error
        }
    }

    /// Asks every process to stop where it is, and says whether all stand. To be repeated until they do; does not wait.
    /// - Throws: `ENODEV` without a freezer.
    package func standsStill() throws(SystemError) -> Bool {
        if let directory = unifiedDirectory, Files.exists(directory + "/cgroup.freeze") {
            try Files.writeOnce("1", to: directory + "/cgroup.freeze")
        } else {
            guard layout.hierarchy(of: "freezer") != nil else {
                throw SystemError("freeze", path: path, code: 19)
            }
            try setLegacyFreezer("FROZEN")
        }
        return try isFrozen()
    }

    /// Lets every process go on. Harmless when they do, or when the group is gone.
    package func thaw() throws(SystemError) {
        if let directory = unifiedDirectory, Files.exists(directory + "/cgroup.freeze") {
            guard try Files.text(of: directory + "/cgroup.freeze") != "0" else { return }
            try Files.writeOnce("0", to: directory + "/cgroup.freeze")
        } else {
            try setLegacyFreezer("THAWED")
        }
    }

    /// Whether every process stands frozen; false when the group is gone.
    package func isFrozen() throws(SystemError) -> Bool {
        if let directory = unifiedDirectory, Files.exists(directory + "/cgroup.freeze") {
            return try Files.text(of: directory + "/cgroup.events").split(separator: "\n").contains(
                "frozen 1"
            )
        }
        guard let hierarchy = layout.hierarchy(of: "freezer") else { return false }
        let file = directory(in: hierarchy) + "/freezer.state"
        guard Files.exists(file) else { return false }
        return try Files.text(of: file) == "FROZEN"
    }

    /// How many processes the kernel killed for want of memory; nil without a memory controller or group.
    package func oomKillCount() -> Int? {
        guard let directory = directory(of: "memory") else { return nil }
        let file = layout.kind == .unified ? "memory.events" : "memory.oom_control"
        guard let text = try? Files.text(of: directory + "/" + file) else { return nil }
        for line in text.split(separator: "\n") where line.hasPrefix("oom_kill ") {
            return Int(line.dropFirst("oom_kill ".count))
        }
        return nil
    }

    private func setLegacyFreezer(_ state: String) throws(SystemError) {
        guard let hierarchy = layout.hierarchy(of: "freezer") else { return }
        let file = directory(in: hierarchy) + "/freezer.state"
        guard Files.exists(file) else { return }
        try Files.writeOnce(state, to: file)
    }

    private static func pause(before deadlineNanos: Int64) throws(SystemError) {
        guard mayPause(before: deadlineNanos) else { throw SystemError("freeze", code: 110) }
    }

    private static func mayPause(before deadlineNanos: Int64) -> Bool {
        guard Clock.bootNanos < deadlineNanos else { return false }
        Clock.sleep(nanos: 500_000)
        return true
    }
}
