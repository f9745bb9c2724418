// SPDX-License-Identifier: Apache-2.0
internal import Cgroups
internal import RuntimeSpec
internal import System

/// A process executed in a running container, from the clone to its program.
struct ExecChild {
    /// A terminal to be opened in the container, whose file system may keep the opener waiting for ever: this process
    /// waits then, and its parent does not.
    struct WantedTerminal {
        let columns: UInt16
        let rows: UInt16
        /// Where its controlling side is sent.
        let socket: Int32
    }

    private static let terminalFileSystem = 0x1cd1

    let plan: ExecPlan
    let table: ChildTable
    let cgroup: Cgroup
    /// The container's init, by descriptor.
    let initProcess: Int32
    let terminal: WantedTerminal?
    let birthplace: Birthplace

    func run() -> Never {
        do throws(StepFailure) {
            try step("clone") { () throws(SystemError) in try table.settle(leadsSession: false) }
            try step("cgroup", cgroup.joinLegacy)
            try step("oom_score_adj", setOOMScore)
            try step("namespace", enterNamespaces)
            if let terminal { try step("terminal") { () throws(SystemError) in try open(terminal) } }
            try step("clone") { () throws(SystemError) in
                try DescriptorTable.closeAll(except: [table.status, table.gate, birthplace.namespace])
            }
            try ProcessStarter(
                plan: plan.process,
                status: table.status,
                gate: table.gate,
                birthplace: birthplace,
                makesDirectory: false
            ).run()
        } catch {
            ChildReport.leave(error, status: table.status)
        }
    }

    /// The mount namespace brings the container's root with it. Entering one that is shared anyway is harmless.
    private func enterNamespaces() throws(SystemError) {
        try Namespaces.enter(initProcess, [.mount, .network, .ipc, .uts, .cgroup])
    }

    private func open(_ wanted: WantedTerminal) throws(SystemError) {
        let root = try Files.open("/", [.path, .directory])
        let directory = try ContainerRoot(directory: root.raw).open(
            "/dev/pts",
            [.path, .directory],
            allowingLinks: false
        )
        let flags: OpenFlags = [.readWrite, .noFollow, .noControllingTerminal]
        let master = try Files.open("ptmx", flags, at: directory.raw)
        for place in [directory.raw, master.raw] {
            guard try Files.fileSystemType(of: place) == Self.terminalFileSystem else {
                throw SystemError("open", path: "/dev/pts", code: 19)
            }
        }
        let own = try Terminal.peer(of: master.raw)
        try Terminal.resize(master.raw, columns: wanted.columns, rows: wanted.rows)
        try SocketMessages.send(wanted.socket, [1], descriptors: [master.raw])
        for number: Int32 in 0...2 { try DescriptorTable.place(own.raw, at: number) }
    }

    private func setOOMScore() throws(SystemError) {
        guard let score = plan.process.process.oomScoreAdj else { return }
        try ChildReport.setOOMScore(score)
    }

    private func step(_ name: String, _ body: () throws(SystemError) -> Void) throws(StepFailure) {
        do throws(SystemError) { try body() } catch { throw StepFailure(name, error) }
    }
}
