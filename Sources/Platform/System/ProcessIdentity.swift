// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// Names a process for ever: its number may be used again, but not with the same start time in the same boot.
package struct ProcessIdentity: Hashable, Sendable {
    package let bootID: String
    package let pid: Int32
    /// Field 22 of `/proc/PID/stat`, in clock ticks since boot.
    package let startTimeTicks: UInt64

    package init(bootID: String, pid: Int32, startTimeTicks: UInt64) {
        self.bootID = bootID
        self.pid = pid
        self.startTimeTicks = startTimeTicks
    }

    /// The identity of the process that has `pid` now.
    /// - Throws: `ENOENT` or `ESRCH` when there is none.
    package init(of pid: Int32) throws(SystemError) {
        let status = try ProcessStatus(of: pid)
        self.init(bootID: try Boot.id(), pid: pid, startTimeTicks: status.startTimeTicks)
    }

    /// Whether that process still exists (a zombie counts).
    package var isPresent: Bool {
        guard let now = try? ProcessIdentity(of: pid) else { return false }
        return now == self
    }
}

/// The fields of `/proc/PID/stat` that Petrel uses.
package struct ProcessStatus: Sendable {
    /// `R`, `S`, `Z`, ….
    package let state: Character
    package let parent: Int32
    /// Field 19, of its first thread: from -20, which has the largest share of the processor, to 19.
    package let nice: Int32
    package let startTimeTicks: UInt64
    /// Field 52, as a wait status: valid for a zombie, and only with ptrace rights over it.
    package let exitStatus: Int32

    /// - Throws: `ENOENT` or `ESRCH` when there is no such process; `EINVAL` when the kernel's line is not understood.
    package init(of pid: Int32) throws(SystemError) {
        let path = "/proc/\(pid)/stat"
        let line = try Files.text(of: path)
        // The command's name may hold spaces and brackets; the fields begin after the last bracket.
        guard let end = line.utf8.lastIndex(of: UInt8(ascii: ")")) else {
            throw SystemError("parse", path: path, code: EINVAL)
        }
        let fields = line.utf8[line.utf8.index(after: end)...].split(separator: UInt8(ascii: " "))
        guard fields.count >= 50,
            let state = Substring(fields[0]).first,
            let parent = Int32(Substring(fields[1])),
            let nice = Int32(Substring(fields[16])),
            let start = UInt64(Substring(fields[19])),
            let exit = Int32(Substring(fields[49]))
        else { throw SystemError("parse", path: path, code: EINVAL) }
        self.state = state
        self.parent = parent
        self.nice = nice
        self.startTimeTicks = start
        self.exitStatus = exit
    }
}

/// This boot of the machine.
package enum Boot {
    /// The kernel's boot id: 36 characters, new at every boot.
    package static func id() throws(SystemError) -> String {
        try Files.text(of: "/proc/sys/kernel/random/boot_id")
    }
}
