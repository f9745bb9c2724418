// SPDX-License-Identifier: Apache-2.0
internal import Cgroups
package import RuntimeSpec
internal import System

/// Makes a container's files the only ones that this process sees, for copying them. For a process with one thread, that
/// ends soon.
///
/// It gets a mount namespace of its own, which nobody else is in and which goes with it: what it is changed to here changes
/// nothing for the container, and nothing of the host is mounted in it but what the container has. No device can be opened
/// in it, and no program executed: whatever stands where a file was expected, looking at it does nothing.
package enum ContainerView {
    /// Of a running container: a copy of its mounts as they are now.
    /// - Parameter process: A pidfd of its first process.
    /// - Throws: `ESRCH` when that has ended.
    package static func enter(_ process: Int32) throws(StepFailure) {
        do throws(SystemError) {
            // Root and working directory are those of the namespace then: the container's.
            try Namespaces.enter(process, .mount)
            try Namespaces.unshare(.mount)
            try close()
        } catch {
            throw StepFailure("namespace", error)
        }
    }

    /// Of a container that does not run: its root, and what is bound into it, mounted as a start would; none of the file
    /// systems that belong to a run.
    package static func mount(_ spec: ContainerSpec, rootfs: [MountSpec]) throws(StepFailure) {
        var spec = spec
        spec.mounts = spec.mounts.filter(\.isBind)
        spec.linux.seccomp = nil
        let plan: InitPlan
        do throws(PlanError) { plan = try InitPlan(spec: spec, rootfs: rootfs) } catch {
            throw StepFailure(step: "config: \(error)", code: 22)
        }
        do throws(SystemError) {
            try Namespaces.unshare(.mount)
            // No control group is mounted.
            let none = try Cgroup("none", in: CgroupLayout(mountInfo: ""))
            let builder = RootBuilder(
                plan: plan,
                maker: MountMaker(cgroup: none, processNamespace: nil),
                terminals: nil,
                terminal: nil,
                sharedMemory: nil
            )
            let root = try builder.mountRoot()
            try builder.mount(plan.mounts[...], in: ContainerRoot(directory: root.raw), [:])
            try builder.pivot(to: root)
            try close()
        } catch {
            throw StepFailure("mount", error)
        }
    }

    /// Whose files are that the container's processes make.
    /// - Parameter root: The container's root directory.
    package static func user(of spec: ContainerSpec, beneath root: Int32) throws(StepFailure) -> (
        user: UInt32, group: UInt32
    ) {
        guard let user = spec.process?.user else { return (0, 0) }
        guard !user.username.isEmpty else { return (user.uid, user.gid) }
        do throws(SystemError) {
            let found = try UserDatabase(beneath: root).resolve(user.username)
            return (found.uid, found.gid)
        } catch {
            throw StepFailure("user", error)
        }
    }

    private static func close() throws(SystemError) {
        try Mounts.setPropagation(.private, at: "/", recursive: true)
        let root = try Files.open("/", [.path, .directory])
        try Mounts.set(root.raw, adding: [.noDevices, .noSetID, .noExecution], recursive: true)
        try SystemEnvironment.changeDirectory(to: "/")
    }
}
