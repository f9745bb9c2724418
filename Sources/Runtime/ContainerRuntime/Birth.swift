// SPDX-License-Identifier: Apache-2.0
package import System

/// A process that is yet to be born in another process namespace.
///
/// Processes that are already there may have the right to trace it from its first moment. So another one prepares
/// everything outside, up to the last right to give up, and clones it when all that it inherits is the container's. It is
/// the caller's child, as the preparing process is.
package final class Birth: Sendable {
    let number: SharedNumber
    /// Where the controlling side of a terminal comes out, which is opened in the container.
    private let terminal: SharedDescriptor?

    init(terminal: SharedDescriptor?) throws(SystemError) {
        number = try SharedNumber()
        self.terminal = terminal
    }

    /// Its number once it is born, of this process's own unreaped child; else 0.
    package var pid: Int32 { number.value }

    /// What came of it, to be asked once the preparing process has ended; nil: not born, the status pipe tells why.
    package func outcome() throws(SystemError) -> Born? {
        guard pid > 0 else { return nil }
        let process = SharedDescriptor(try ProcessHandle.open(pid))
        // Sent before the birth.
        let message = try terminal.map { socket throws(SystemError) in
            try SocketMessages.receive(socket.raw, limit: 1)
        }
        return Born(pid: pid, process: process, terminal: message?.descriptors.first)
    }
}

/// The process itself.
package struct Born: Sendable {
    /// In the caller's process namespace; stays a zombie until the caller reaps it.
    package let pid: Int32
    /// pidfd.
    package let process: SharedDescriptor
    /// The controlling side of its terminal.
    package let terminal: SharedDescriptor?
}

/// The preparing process's side of a birth.
struct Birthplace {
    /// A pidfd or namespace file, by number.
    let namespace: Int32
    let birth: Birth
    /// Whether standard input is to be the controlling terminal.
    let controlsTerminal: Bool

    /// Children made from now on are born there. What the child must not have is let go.
    func enter(keeping kept: [Int32]) throws(SystemError) {
        try Namespaces.enter(namespace, .process)
        try birth.number.withhold()
        try DescriptorTable.closeAll(except: kept)
    }

    /// Returns in the child only; this process ends.
    func bear() throws(SystemError) {
        guard try Cloning.sibling(birth.number) else { CurrentProcess.leave(0) }
        try CurrentProcess.startSession()
        if controlsTerminal { try Terminal.control(0) }
    }

    /// Calls that are made when the filter may be there already.
    func calls(settingLimit: Bool) -> [SystemCallFilter.Call] {
        [.cloneSibling, .startSession] + (controlsTerminal ? [.controlTerminal] : [])
            + (settingLimit ? [.setLimit] : [])
    }
}
