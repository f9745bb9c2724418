// SPDX-License-Identifier: Apache-2.0
internal import Cgroups
internal import System

/// The descriptors around a clone, owned by the parent until they are handed to the caller or closed.
struct SpawnParts: ~Copyable {
    // For the caller.
    private var statusRead: Descriptor?
    private var gateWrite: Descriptor?
    private var master: Descriptor?
    // For the child.
    private var statusWrite: SharedDescriptor?
    private var gateRead: SharedDescriptor?
    private var terminal: SharedDescriptor?
    /// A detached devpts.
    private(set) var terminals: SharedDescriptor?
    /// For a terminal that the child opens: the caller's end, and the child's.
    private(set) var (arrival, departure): (SharedDescriptor?, SharedDescriptor?)

    init() {}

    mutating func makePipes() throws(StepFailure) {
        do throws(SystemError) {
            let status = try Pipe()
            statusRead = try status.readEnd.duplicate()
            statusWrite = SharedDescriptor(try status.writeEnd.duplicate())
            let gate = try Pipe()
            gateRead = SharedDescriptor(try gate.readEnd.duplicate())
            gateWrite = try gate.writeEnd.duplicate()
        } catch {
            throw StepFailure("clone", error)
        }
    }

    // MARK: - Terminal

    /// A file system of terminals for a new container, not mounted yet, with one terminal opened in it.
    mutating func makeTerminal(_ mount: MountPlan?, columns: UInt16, rows: UInt16) throws(StepFailure) {
        do throws(SystemError) {
            let context = try Mounts.openFileSystem("devpts")
            let options =
                mount?.options ?? [.init("ptmxmode", "0666"), .init("mode", "0620"), .init("gid", "5")]
            for option in options { try Mounts.configure(context.raw, option.key, option.value) }
            let mounted = try Mounts.create(context.raw, mount?.adding ?? [.noSetID, .noExecution])
            try open(in: mounted.raw, columns, rows)
            terminals = SharedDescriptor(mounted)
        } catch {
            throw StepFailure("terminal", error)
        }
    }

    /// The way of a terminal that the child opens in the container.
    mutating func makeTerminalSocket() throws(StepFailure) {
        do throws(SystemError) {
            (arrival, departure) = try UnixSocket.sharedPair(.sequencedPacket)
        } catch {
            throw StepFailure("terminal", error)
        }
    }

    private mutating func open(in terminals: Int32, _ columns: UInt16, _ rows: UInt16) throws(SystemError) {
        let master = try Files.open("ptmx", [.readWrite, .noFollow, .noControllingTerminal], at: terminals)
        terminal = SharedDescriptor(try Terminal.peer(of: master.raw))
        try Terminal.resize(master.raw, columns: columns, rows: rows)
        self.master = consume master
    }

    // MARK: - Clone

    borrowing func table(_ streams: StandardStreams, others: [Int32]) -> ChildTable {
        let own = terminal?.raw
        let numbers =
            switch streams {
            case .descriptors(let input, let output, let error): [input, output, error]
            case .terminal: own.map { [$0, $0, $0] } ?? []
            }
        return ChildTable(
            streams: numbers,
            status: statusWrite?.raw ?? -1,
            gate: gateRead?.raw ?? -1,
            terminal: own,
            others: others
        )
    }

    /// - Parameter birth: The child only prepares a process that is born later.
    consuming func spawn(
        _ kinds: NamespaceKinds,
        _ cgroup: Cgroup,
        birth: Birth?,
        _ child: () -> Never
    ) throws(StepFailure) -> SpawnedProcess {
        let group = try ContainerProcess.step("cgroup") { () throws(SystemError) in
            try cgroup.openUnified()
        }
        let cloned = try ContainerProcess.step("clone") { () throws(SystemError) in
            try Cloning.clone(kinds, into: group?.raw)
        }
        // The child's numbers were open when it was cloned.
        withExtendedLifetime((group, statusWrite, gateRead, terminal, terminals, departure)) {}
        switch consume cloned {
        case .child: child()
        case .parent(let pid, let process):
            return SpawnedProcess(
                pid: pid,
                process: process,
                status: statusRead.take(),
                gate: gateWrite.take(),
                terminal: master.take(),
                birth: birth
            )
        }
    }
}
