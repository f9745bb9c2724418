// SPDX-License-Identifier: Apache-2.0
package import Cgroups
internal import RuntimeSpec
internal import System

/// What a process does of which keepers are copied: what the language sets up where something is done for the first time is then
/// in the memory of every container's first process, which is a copy's copy, and need not be set up in each.
package enum RootRehearsal {
    /// Does in a directory what an init does in its root, as far as that goes there: what is mounted goes with it, and nothing
    /// outside the directory is changed. What goes wrong is of no consequence.
    package static func act(_ plan: InitPlan, in directory: Int32, cgroup: Cgroup) {
        let builder = RootBuilder(
            plan: plan,
            maker: MountMaker(cgroup: cgroup, processNamespace: nil),
            terminals: nil,
            terminal: nil,
            sharedMemory: nil
        )
        let root = ContainerRoot(directory: directory)
        let shared = try? builder.cloneShared()
        // One by one: a directory that is itself mounted nowhere may take none.
        for place in plan.mounts.indices {
            try? builder.mount(plan.mounts[place...place], in: root, shared ?? [:])
        }
        for path in plan.maskedPaths { _ = try? root.ensure(path, path.hasSuffix("/") ? .directory : .file) }
        for path in plan.readonlyPaths { _ = try? root.ensure(path, .directory) }
        try? builder.makeDevices(in: root)
        try? builder.protect(in: root)
        let starter = ProcessStarter(
            plan: plan.process,
            status: -1,
            gate: -1,
            birthplace: nil,
            makesDirectory: false
        )
        _ = try? starter.findUser([0])
        _ = try? ProgramSearch.find("true", plan.process.process.env)
        _ = try? Scheduling.turnNanos()
    }
}
