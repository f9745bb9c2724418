// SPDX-License-Identifier: Apache-2.0
internal import Cgroups
internal import RuntimeSpec
internal import System

/// What a child has in its hands after the clone: numbers that it keeps, all others being closed.
struct ChildTable {
    /// Standard input, output and error; none where a terminal is still to be opened.
    let streams: [Int32]
    let status: Int32
    let gate: Int32
    /// The container's side of its terminal; then also standard input.
    let terminal: Int32?
    /// Descriptors that the steps of this child need.
    let others: [Int32]

    /// Standard streams at 0 to 2, default signals, nothing else open.
    /// - Parameter leadsSession: Whether this process executes the program: it gets a session of its own.
    func settle(leadsSession: Bool) throws(SystemError) {
        // Told from a keeper, whose arguments it has.
        try Threads.setName(Cloning.name)
        // The keeper's are short; where they are not, there is nothing to set back.
        try? Scheduling.useUsualTurns()
        // Invisible to other processes of the container, as long as it still is the runtime's program.
        try Credentials.hideFromTracing()
        CurrentProcess.resetSignals()
        // What is made for the container has the modes that its makers say.
        CurrentProcess.setFileCreationMask(0)
        // Copies first: a stream's number may itself be 0, 1 or 2.
        let copies = try streams.map { stream throws(SystemError) in
            try DescriptorTable.copy(stream, atLeast: 3)
        }
        for (number, copy) in copies.enumerated() { try DescriptorTable.place(copy, at: Int32(number)) }
        try DescriptorTable.closeAll(except: [status, gate] + others + (terminal.map { [$0] } ?? []))
        if leadsSession {
            try CurrentProcess.startSession()
            if terminal != nil { try Terminal.control(0) }
        }
        CurrentProcess.startKeyring()
    }
}

/// The first process of a container, from the clone to its program. Ordinary Swift: the process has one thread.
struct InitChild {
    let plan: InitPlan
    let table: ChildTable
    let cgroup: Cgroup
    /// Whether a byte at the gate says when the groups are there.
    let awaitsGroups: Bool
    let networkNamespace: Int32?
    let joined: [JoinedNamespace]
    let terminals: Int32?
    /// Where the container has no process namespace of its own.
    let birthplace: Birthplace?

    /// Does not return: the program, or a report and the end.
    func run() -> Never {
        do throws(StepFailure) {
            try prepare()
            try ProcessStarter(
                plan: plan.process,
                status: table.status,
                gate: table.gate,
                birthplace: birthplace,
                makesDirectory: true
            ).run()
        } catch {
            ChildReport.leave(error, status: table.status)
        }
    }

    private func prepare() throws(StepFailure) {
        try step("clone") { () throws(SystemError) in try table.settle(leadsSession: birthplace == nil) }
        try step("namespace", enterNamespaces)
        try step("network", setUpNetwork)
        try step("hostname", setNames)
        // Through the host's /proc: the container's is not trusted, and is read-only where it matters.
        try step("sysctl", setSysctls)
        try step("oom_score_adj", setOOMScore)
        try buildRoot(sharedMemory: try borrowSharedMemory())
        // Directories of the host are no longer needed, and must not be reachable by /proc/self/fd.
        try step("clone") { () throws(SystemError) in
            let namespace = birthplace.map { [$0.namespace] } ?? []
            try DescriptorTable.closeAll(except: [table.status, table.gate] + namespace)
        }
    }

    private func borrowSharedMemory() throws(StepFailure) -> SharedDescriptor? {
        guard let other = joined.first(where: { $0.kind == .ipc })?.process else { return nil }
        do throws(SystemError) {
            return SharedDescriptor(try SharedMemory.clone(of: other))
        } catch {
            throw StepFailure("namespace", error)
        }
    }

    private func buildRoot(sharedMemory: SharedDescriptor?) throws(StepFailure) {
        defer { withExtendedLifetime(sharedMemory) {} }
        let builder = RootBuilder(
            plan: plan,
            maker: MountMaker(cgroup: cgroup, processNamespace: birthplace?.namespace),
            terminals: terminals,
            terminal: table.terminal,
            sharedMemory: sharedMemory?.raw
        )
        let shared = try step("mount", builder.cloneShared)
        let root: Descriptor
        do throws(SystemError) { root = try builder.mountRoot() } catch { throw StepFailure("rootfs", error) }
        let place = ContainerRoot(directory: root.raw)
        // The caller makes the groups meanwhile; of mounts, only theirs need them.
        let mounts = plan.mounts
        let first = mounts.firstIndex { $0.kind == .cgroup } ?? mounts.endIndex
        try step("mount") { () throws(SystemError) in try builder.mount(mounts[..<first], in: place, shared) }
        try joinGroups()
        try step("mount") { () throws(SystemError) in try builder.mount(mounts[first...], in: place, shared) }
        try step("device") { () throws(SystemError) in try builder.makeDevices(in: place) }
        try step("mask") { () throws(SystemError) in try builder.protect(in: place) }
        do throws(SystemError) { try builder.pivot(to: root) } catch {
            throw StepFailure("pivot_root", error)
        }
        // Its number is closed with all others; the owner must not close a later one of the same number.
        _ = root.relinquish()
    }

    private func enterNamespaces() throws(SystemError) {
        for namespace in plan.entered where namespace.kind != .process && namespace.kind != .cgroup {
            if namespace.kind == .network, networkNamespace != nil { continue }
            if joined.contains(where: { $0.kind == namespace.kind }) { continue }
            let file = try Files.open(namespace.path, .readOnly)
            try Namespaces.enter(file.raw, namespace.kind)
        }
        if let networkNamespace { try Namespaces.enter(networkNamespace, .network) }
        // The process namespace is the one that it was born in.
        for namespace in joined where namespace.kind != .process {
            try Namespaces.enter(namespace.process, namespace.kind)
        }
    }

    /// Before nodes are made and the container's program runs, and before its cgroup namespace begins, at its own group.
    private func joinGroups() throws(StepFailure) {
        if awaitsGroups {
            try step("gate") { () throws(SystemError) in try ProcessStarter.wait(at: table.gate) }
        }
        try step("cgroup", cgroup.joinLegacy)
        try step("namespace") { () throws(SystemError) in
            for namespace in plan.entered where namespace.kind == .cgroup {
                let file = try Files.open(namespace.path, .readOnly)
                try Namespaces.enter(file.raw, namespace.kind)
            }
            if plan.hasNewCgroupNamespace { try Namespaces.unshare(.cgroup) }
        }
    }

    private func setUpNetwork() throws(SystemError) {
        let isOwn = networkNamespace == nil && !joined.contains { $0.kind == .network }
        if isOwn, plan.newNamespaces.contains(.network) {
            try NetworkInterfaces.setUp("lo")
        }
    }

    private func setNames() throws(SystemError) {
        if !plan.hostname.isEmpty { try Host.setName(plan.hostname) }
        if !plan.domainname.isEmpty { try Host.setDomainName(plan.domainname) }
    }

    private func setSysctls() throws(SystemError) {
        guard !plan.sysctls.isEmpty else { return }
        let base = try Files.open("/proc/sys", [.path, .directory])
        for (path, value) in plan.sysctls.sorted(by: { $0.key < $1.key }) {
            let file = try Files.open(
                path,
                .writeOnly,
                at: base.raw,
                resolving: [.beneath, .noSymbolicLinks]
            )
            do throws(SystemError) {
                try Files.writeAll(file.raw, Array(value.utf8))
            } catch {
                throw SystemError("write", path: path, code: error.code)
            }
        }
    }

    private func setOOMScore() throws(SystemError) {
        guard let score = plan.process.process.oomScoreAdj else { return }
        try ChildReport.setOOMScore(score)
    }

    private func step<Result>(
        _ name: String,
        _ body: () throws(SystemError) -> Result
    ) throws(StepFailure) -> Result {
        do throws(SystemError) { return try body() } catch { throw StepFailure(name, error) }
    }
}

enum ChildReport {
    /// Tells the parent what failed and ends.
    static func leave(_ failure: StepFailure, status: Int32) -> Never {
        try? Files.writeAll(status, StartReport.failed(failure).encoded())
        switch (failure.step, failure.code) {
        case ("execve", 2): CurrentProcess.leave(127)
        case ("execve", _): CurrentProcess.leave(126)
        default: CurrentProcess.leave(125)
        }
    }

    /// Lowering the score needs CAP_SYS_RESOURCE; a protection that cannot be had is no reason not to start.
    static func setOOMScore(_ score: Int32) throws(SystemError) {
        do throws(SystemError) {
            try Files.writeOnce(String(score), to: "/proc/self/oom_score_adj")
        } catch {
            guard error.code == 13 || error.code == 1 else { throw error }
        }
    }
}
