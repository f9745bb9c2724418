// SPDX-License-Identifier: Apache-2.0
internal import System

/// How a process ended that is no longer running, whether or not it is this keeper's child.
enum ExitProbe {
    enum Answer {
        /// In the encoding of wait(2).
        case known(Int32)
        /// The kernel will tell when somebody has reaped it.
        case later
    }

    /// - Parameter process: A pidfd that is readable.
    static func ask(_ process: Int32, pid: Int32) -> Answer {
        do throws(SystemError) {
            if let status = try ProcessHandle.peekEnd(of: process) { return .known(status) }
        } catch {
            // ECHILD: started by an earlier keeper, and now the child of another process.
        }
        if let status = ProcessHandle.waitStatus(process) { return .known(status) }
        // A zombie's status is in /proc; a signal that still reaches it proves that the number was still its own.
        if let status = try? ProcessStatus(of: pid), status.state == "Z",
            (try? ProcessHandle.signal(process, Signal(rawValue: 0))) != nil
        {
            return .known(status.exitStatus)
        }
        // It was reaped between the questions.
        if let status = ProcessHandle.waitStatus(process) { return .known(status) }
        return .later
    }
}
