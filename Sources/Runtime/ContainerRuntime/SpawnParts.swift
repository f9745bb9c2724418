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

    /// A terminal of a running container's own file system of terminals, found beneath its root.
    mutating func openTerminal(inside process: Int32, columns: UInt16, rows: UInt16) throws(StepFailure) {
        do throws(SystemError) {
            let pid = try ProcessHandle.pid(of: process)
            let root = try Files.open("/proc/\(pid)/root", [.path, .directory])
            // Still the same process: its number was not used again meanwhile.
            try ProcessHandle.signal(process, Signal(rawValue: 0))
            let directory = try ContainerRoot(directory: root.raw).open(
                "/dev/pts",
                [.path, .directory],
                allowingLinks: false
            )
            let devpts = 0x1cd1
            guard try Files.fileSystemType(of: directory.raw) == devpts else {
                throw SystemError("open", path: "/dev/pts", code: 19)
            }
            try open(in: directory.raw, columns, rows)
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
        var numbers = (own ?? -1, own ?? -1, own ?? -1)
        if case .descriptors(let input, let output, let error) = streams { numbers = (input, output, error) }
        return ChildTable(
            input: numbers.0,
            output: numbers.1,
            error: numbers.2,
            status: statusWrite?.raw ?? -1,
            gate: gateRead?.raw ?? -1,
            terminal: own,
            others: others
        )
    }

    /// - Parameter processNamespace: A pidfd or namespace file whose process namespace the child is born in.
    consuming func spawn(
        _ kinds: NamespaceKinds,
        _ cgroup: Cgroup,
        processNamespace: Int32?,
        _ child: () -> Never
    ) throws(StepFailure) -> SpawnedProcess {
        let group = try ContainerProcess.step("cgroup") { () throws(SystemError) in
            try cgroup.openUnified()
        }
        var own: SharedDescriptor?
        if let processNamespace {
            // Entering concerns only children made from now on, and is taken back below.
            own = try ContainerProcess.step("namespace") { () throws(SystemError) in
                let own = SharedDescriptor(try Files.open("/proc/self/ns/pid", .readOnly))
                try Namespaces.enter(processNamespace, .process)
                return own
            }
        }
        let cloned: Cloned
        do throws(SystemError) {
            cloned = try Cloning.clone(kinds, into: group?.raw)
        } catch {
            if let own { try? Namespaces.enter(own.raw, .process) }
            throw StepFailure("clone", error)
        }
        // The child's numbers were open when it was cloned.
        withExtendedLifetime((group, statusWrite, gateRead, terminal, terminals)) {}
        switch consume cloned {
        case .child: child()
        case .parent(let pid, let process):
            let result = SpawnedProcess(
                pid: pid,
                process: process,
                status: statusRead.take(),
                gate: gateWrite.take(),
                terminal: master.take()
            )
            if let own {
                do throws(SystemError) {
                    try Namespaces.enter(own.raw, .process)
                } catch {
                    throw StepFailure("namespace", error)
                }
            }
            return result
        }
    }
}
