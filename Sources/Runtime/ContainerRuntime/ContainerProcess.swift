// SPDX-License-Identifier: Apache-2.0
package import Cgroups
package import System

/// A process's standard streams. Numbers are lent: the child has copies, the caller closes its own.
package enum StandardStreams: Hashable, Sendable {
    case descriptors(input: Int32, output: Int32, error: Int32)
    /// A terminal in the container's own devpts, made by the spawn; by an exec's child.
    case terminal(columns: UInt16, rows: UInt16)

    var isTerminal: Bool {
        if case .terminal = self { true } else { false }
    }
}

/// A child that prepares itself and then waits at its gate.
package struct SpawnedProcess: ~Copyable, Sendable {
    /// In the caller's process namespace; stays a zombie until the caller reaps it.
    package let pid: Int32
    /// pidfd.
    package var process: Descriptor?
    /// `StartReport(decoding:)` of all that can be read up to its end.
    package var status: Descriptor?
    /// One byte opens it, after the one for the groups where it awaits those. Closed without: the child reports step "gate" and ends.
    package var gate: Descriptor?
    /// The controlling side of its terminal.
    package var terminal: Descriptor?
    /// Until `process` ends, that is another one which prepares it; then ask this for the process itself.
    package var birth: Birth?
}

/// Starts processes in containers. The caller has one thread.
package enum ContainerProcess {
    /// Clones a container's init, which builds the container and waits at its gate. Returns at once; what the child
    /// meets, it reports on `status`.
    /// - Parameters:
    ///   - networkNamespace: Entered instead of what the plan says about the network.
    ///   - joined: Namespaces of other containers, entered instead of new ones; at most one of each kind.
    ///   - cgroup: Made, with its limits; of a version 2 tree at least.
    ///   - awaitsGroups: The rest of `cgroup` is being made: the child builds what needs no group until a first byte comes
    ///     through its gate, before the one that opens it.
    /// - Throws: Steps `clone`, `cgroup`, `namespace`, `terminal` of the caller's own part; nothing is left then.
    package static func spawnInit(
        _ plan: InitPlan,
        streams: StandardStreams,
        networkNamespace: Int32? = nil,
        joined: [JoinedNamespace] = [],
        cgroup: Cgroup,
        awaitsGroups: Bool = false
    ) throws(StepFailure) -> SpawnedProcess {
        var parts = SpawnParts()
        try parts.makePipes()
        if case .terminal(let columns, let rows) = streams {
            let options = plan.mounts.first(where: \.isTerminals)
            try parts.makeTerminal(options, columns: columns, rows: rows)
        }
        var kinds = plan.newNamespaces
        if networkNamespace != nil { kinds.remove(.network) }
        for namespace in joined { kinds.subtract(namespace.kind) }
        let numbers = try step("namespace") { () throws(SystemError) in
            try Self.processNamespace(plan, joined)
        }
        let birth = try numbers.map { _ throws(StepFailure) in
            try step("clone") { () throws(SystemError) in try Birth(terminal: nil) }
        }
        var birthplace: Birthplace?
        if let numbers, let birth {
            birthplace = Birthplace(
                namespace: numbers.raw,
                birth: birth,
                controlsTerminal: streams.isTerminal
            )
        }
        let others =
            [networkNamespace, parts.terminals?.raw, numbers?.raw].compactMap { $0 } + joined.map(\.process)
        let table = parts.table(streams, others: others)
        let child = InitChild(
            plan: plan,
            table: table,
            cgroup: cgroup,
            awaitsGroups: awaitsGroups,
            networkNamespace: networkNamespace,
            joined: joined,
            terminals: parts.terminals?.raw,
            birthplace: birthplace
        )
        defer { withExtendedLifetime(numbers) {} }
        return try parts.spawn(kinds, cgroup, birth: birth) { child.run() }
    }

    /// The process namespace of somebody else that the container shares; nil: it has its own, or the host's.
    private static func processNamespace(
        _ plan: InitPlan,
        _ joined: [JoinedNamespace]
    ) throws(SystemError) -> SharedDescriptor? {
        if let other = joined.first(where: { $0.kind == .process })?.process {
            let file = try Files.open("/proc/\(try ProcessHandle.pid(of: other))/ns/pid", .readOnly)
            // Still the same process: its number was not used again meanwhile.
            try ProcessHandle.signal(other, Signal(rawValue: 0))
            return SharedDescriptor(file)
        }
        guard let entered = plan.entered.first(where: { $0.kind == .process }) else { return nil }
        return SharedDescriptor(try Files.open(entered.path, .readOnly))
    }

    /// Clones a process into a running container; it waits at its gate as an init does.
    /// - Parameter initProcess: The container's init, by pidfd.
    /// - Throws: Steps `clone`, `cgroup`, `namespace`, `terminal`; `ESRCH` when the container has ended.
    package static func spawnExec(
        _ plan: ExecPlan,
        inside initProcess: Int32,
        streams: StandardStreams,
        cgroup: Cgroup
    ) throws(StepFailure) -> SpawnedProcess {
        var parts = SpawnParts()
        try parts.makePipes()
        var terminal: ExecChild.WantedTerminal?
        if case .terminal(let columns, let rows) = streams {
            try parts.makeTerminalSocket()
            terminal = parts.departure.map { .init(columns: columns, rows: rows, socket: $0.raw) }
        }
        let arrival = parts.arrival
        let birth = try step("clone") { () throws(SystemError) in try Birth(terminal: arrival) }
        let child = ExecChild(
            plan: plan,
            table: parts.table(streams, others: [initProcess] + (terminal.map { [$0.socket] } ?? [])),
            cgroup: cgroup,
            initProcess: initProcess,
            terminal: terminal,
            birthplace: Birthplace(
                namespace: initProcess,
                birth: birth,
                controlsTerminal: terminal != nil
            )
        )
        return try parts.spawn([], cgroup, birth: birth) { child.run() }
    }

    static func step<Result: ~Copyable>(
        _ name: String,
        _ body: () throws(SystemError) -> Result
    ) throws(StepFailure) -> Result {
        do throws(SystemError) { return try body() } catch { throw StepFailure(name, error) }
    }
}
