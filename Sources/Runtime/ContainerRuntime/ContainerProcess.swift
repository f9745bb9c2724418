// SPDX-License-Identifier: Apache-2.0
package import Cgroups
package import System

/// A process's standard streams. Numbers are lent: the child has copies, the caller closes its own.
package enum StandardStreams: Hashable, Sendable {
    case descriptors(input: Int32, output: Int32, error: Int32)
    /// A terminal in the container's own devpts, made by the spawn.
    case terminal(columns: UInt16, rows: UInt16)
}

/// A child that prepares itself and then waits at its gate.
package struct SpawnedProcess: ~Copyable, Sendable {
    /// In the caller's process namespace; stays a zombie until the caller reaps it.
    package let pid: Int32
    /// pidfd.
    package var process: Descriptor?
    /// EOF without bytes: the program was executed. Bytes: `StepFailure(decoding:)` of all of them.
    package var status: Descriptor?
    /// One byte opens it. Closed without: the child reports step "gate" and ends.
    package var gate: Descriptor?
    /// The controlling side of its terminal.
    package var terminal: Descriptor?
}

/// Starts processes in containers. The caller has one thread.
package enum ContainerProcess {
    /// Clones a container's init, which builds the container and waits at its gate. Returns at once; what the child
    /// meets, it reports on `status`.
    /// - Parameters:
    ///   - networkNamespace: Entered instead of what the plan says about the network.
    ///   - joined: Namespaces of other containers, entered instead of new ones; at most one of each kind.
    ///   - cgroup: Made, with its limits.
    /// - Throws: Steps `clone`, `cgroup`, `namespace`, `terminal` of the caller's own part; nothing is left then.
    package static func spawnInit(
        _ plan: InitPlan,
        streams: StandardStreams,
        networkNamespace: Int32? = nil,
        joined: [JoinedNamespace] = [],
        cgroup: Cgroup
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
        var numbers: SharedDescriptor?
        if let entered = plan.entered.first(where: { $0.kind == .process }) {
            numbers = try step("namespace") { () throws(SystemError) in
                SharedDescriptor(try Files.open(entered.path, .readOnly))
            }
        }
        let others = [networkNamespace, parts.terminals?.raw].compactMap { $0 } + joined.map(\.process)
        let table = parts.table(streams, others: others)
        let child = InitChild(
            plan: plan,
            table: table,
            cgroup: cgroup,
            networkNamespace: networkNamespace,
            joined: joined,
            terminals: parts.terminals?.raw
        )
        defer { withExtendedLifetime(numbers) {} }
        let other = joined.first { $0.kind == .process }?.process ?? numbers?.raw
        return try parts.spawn(kinds, cgroup, processNamespace: other) { child.run() }
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
        if case .terminal(let columns, let rows) = streams {
            try parts.openTerminal(inside: initProcess, columns: columns, rows: rows)
        }
        let table = parts.table(streams, others: [initProcess])
        let child = ExecChild(plan: plan, table: table, cgroup: cgroup, initProcess: initProcess)
        let joined = plan.entersProcessNamespace ? initProcess : nil
        return try parts.spawn([], cgroup, processNamespace: joined) { child.run() }
    }

    static func step<Result: ~Copyable>(
        _ name: String,
        _ body: () throws(SystemError) -> Result
    ) throws(StepFailure) -> Result {
        do throws(SystemError) { return try body() } catch { throw StepFailure(name, error) }
    }
}
