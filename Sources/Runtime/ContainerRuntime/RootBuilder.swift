// SPDX-License-Identifier: Apache-2.0
internal import Cgroups
internal import RuntimeSpec
internal import System

/// Builds a container's file system in the child's own mount namespace, and makes it the root.
///
/// Everything is attached while the host is still visible; the container's paths are resolved beneath its root only.
/// Errors carry the container's path.
struct RootBuilder {
    let plan: InitPlan
    let maker: MountMaker
    /// A detached devpts with the container's terminal, to be used for /dev/pts.
    let terminals: Int32?
    /// The container's side of its terminal.
    let terminal: Int32?
    /// A detached copy of another container's /dev/shm, to be used for the own one.
    let sharedMemory: Int32?

    /// The new root's mount, attached on the host's directory.
    func mountRoot() throws(SystemError) -> Descriptor {
        // What is mounted here must not travel to the host; what the host mounts may come in where a bind asks for it.
        try Mounts.setPropagation(.slave, at: "/", recursive: true)
        try Files.makeDirectories(plan.rootPath, mode: 0o700)
        let place = try Files.open(plan.rootPath, [.path, .directory])
        guard let first = plan.rootMounts.first else {
            let root = try Mounts.clone(plan.rootPath, recursive: true)
            try Mounts.attach(root.raw, at: place.raw)
            return root
        }
        let root = try named(first.destination.isEmpty ? "/" : first.destination) { () throws(SystemError) in
            try allowAgain(first)
            let root = try maker.make(first)
            try Mounts.attach(root.raw, at: place.raw)
            return root
        }
        for mount in plan.rootMounts.dropFirst() { try attach(mount, in: ContainerRoot(directory: root.raw)) }
        return root
    }

    /// The kernel leaves a mark in the work directory of a `volatile` overlay and refuses the next one, since the machine may
    /// have ended between the two. Whoever gives the same root again knows that it has not.
    private func allowAgain(_ root: MountPlan) throws(SystemError) {
        guard root.options.contains(where: { $0.key == "volatile" }),
            let work = root.options.first(where: { $0.key == "workdir" })?.value
        else { return }
        try Files.removeTree(work + "/work/incompat")
    }

    /// Binds whose mounts are to travel to the host, by their place in the plan: copies of the host's own mounts as long
    /// as those of this mount namespace are their peers, which `mountRoot` ends.
    func cloneShared() throws(SystemError) -> [Int: SharedDescriptor] {
        var shared: [Int: SharedDescriptor] = [:]
        for (index, mount) in plan.mounts.enumerated() where isBind(mount) {
            guard mount.propagation.contains(where: { $0.kind == .shared }) else { continue }
            shared[index] = try named(mount.destination) { () throws(SystemError) in
                SharedDescriptor(try maker.make(mount))
            }
        }
        return shared
    }

    /// - Parameters:
    ///   - mounts: Of the plan, one after the other.
    ///   - shared: What `cloneShared` made.
    func mount(_ mounts: ArraySlice<MountPlan>, in root: ContainerRoot, _ shared: [Int: SharedDescriptor])
        throws(SystemError)
    {
        for (index, mount) in zip(mounts.indices, mounts) {
            try attach(mount, in: root, made: shared[index])
        }
    }

    private func attach(
        _ mount: MountPlan,
        in root: ContainerRoot,
        made: SharedDescriptor? = nil
    ) throws(SystemError) {
        try named(mount.destination) { () throws(SystemError) in
            if mount.kind == .cgroup {
                let target = try root.ensure(mount.destination, .directory)
                return try maker.makeCgroups(mount, at: target.raw)
            }
            if mount.isTerminals, let terminals {
                return try place(terminals, mount, .directory, root)
            }
            if mount.isSharedMemory, let sharedMemory {
                return try place(sharedMemory, mount, .directory, root)
            }
            let made = if let made { made } else { SharedDescriptor(try maker.make(mount)) }
            // A bind's target is made as what its source is; the root of a file system is a directory.
            let kind = try Files.status(ofDescriptor: made.raw).kind
            try place(made.raw, mount, kind == .directory ? .directory : .file, root)
        }
    }

    private func isBind(_ mount: MountPlan) -> Bool {
        if case .bind = mount.kind { return true }
        return false
    }

    private func place(
        _ made: Int32,
        _ mount: MountPlan,
        _ wanted: ContainerRoot.Wanted,
        _ root: ContainerRoot
    ) throws(SystemError) {
        let target = try root.ensure(mount.destination, wanted, allowingLinks: !mount.isKernelView)
        try Mounts.attach(made, at: target.raw)
        for change in mount.propagation {
            try Mounts.set(made, propagation: change.kind, recursive: change.isRecursive)
        }
    }

    // MARK: - Devices

    /// Whether its /dev was made for it.
    private var hasOwnDevices: Bool {
        guard let mount = mount(over: "/dev") else { return false }
        return Self.parts(mount.destination) == ["dev"] && !isBind(mount)
    }

    /// Nodes, and in a /dev of the container's own the usual links and the console.
    func makeDevices(in root: ContainerRoot) throws(SystemError) {
        for device in plan.devices where !isBroughtIn(device.path) {
            try named(device.path) { () throws(SystemError) in try make(device, in: root) }
        }
        guard hasOwnDevices else { return }
        let dev = try root.ensure("/dev", .directory)
        var links = [
            ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
            ("stderr", "/proc/self/fd/2"), ("ptmx", "pts/ptmx"),
        ]
        if Files.exists("/proc/kcore") { links.append(("core", "/proc/kcore")) }
        for (name, target) in links {
            do throws(SystemError) {
                try Files.makeSymbolicLink(name, to: target, at: dev.raw)
            } catch  where error.code == 17 {}
        }
        guard let terminal, plan.mounts.contains(where: { $0.destination == "/dev/pts" }) else { return }
        try named("/dev/console") { () throws(SystemError) in
            let console = try root.ensure("/dev/console", .file)
            let mount = try Mounts.clone("", at: terminal, recursive: false)
            try Mounts.attach(mount.raw, at: console.raw)
        }
    }

    /// Whether it lies in a /dev, or a part of one, that is bound from elsewhere: nodes there are the host's, who has what
    /// is wanted.
    private func isBroughtIn(_ path: String) -> Bool {
        guard let mount = mount(over: path) else { return false }
        return isBind(mount) && Self.parts(mount.destination).first == "dev"
    }

    /// The mount that shows at a path; nil: the root.
    private func mount(over path: String) -> MountPlan? {
        let parts = Self.parts(path)
        return plan.mounts.last { parts.starts(with: Self.parts($0.destination)) }
    }

    private static func parts(_ path: String) -> [Substring] {
        path.split(separator: "/").filter { $0 != "." }
    }

    private func make(_ device: Device, in root: ContainerRoot) throws(SystemError) {
        let parent = try root.parent(of: device.path)
        let name = ContainerRoot.name(of: device.path)
        let mode = device.fileMode ?? 0o666
        do throws(SystemError) {
            try makeNode(device, name, in: parent.raw, mode)
        } catch {
            switch error.code {
            case 17:
                if try isSame(device, name, in: parent.raw) { return }
                try Files.unlink(name, at: parent.raw)
                try makeNode(device, name, in: parent.raw, mode)
            case 1:
                // Not allowed to make nodes: the host's own is bound instead; nobody shall change its mode or owner.
                let target = try root.ensure(device.path, .file)
                let mount = try Mounts.clone(device.path, recursive: false)
                try Mounts.set(mount.raw, adding: .readOnly)
                return try Mounts.attach(mount.raw, at: target.raw)
            default: throw error
            }
        }
        try Files.changeOwner(of: name, user: device.uid, group: device.gid, at: parent.raw)
    }

    private func makeNode(_ device: Device, _ name: String, in parent: Int32, _ mode: UInt32)
        throws(SystemError)
    {
        switch device.kind {
        case .pipe: try Files.makeFIFO(name, permissions: mode, at: parent)
        case .character, .unbufferedCharacter, .block:
            try Files.makeDevice(
                name,
                block: device.kind == .block,
                permissions: mode,
                major: device.major,
                minor: device.minor,
                at: parent
            )
        }
    }

    private func isSame(_ device: Device, _ name: String, in parent: Int32) throws(SystemError) -> Bool {
        let status = try Files.status(of: name, at: parent)
        switch device.kind {
        case .pipe: return status.kind == .fifo
        case .block:
            return status.kind == .blockDevice && status.deviceMajor == device.major
                && status.deviceMinor == device.minor
        case .character, .unbufferedCharacter:
            return status.kind == .characterDevice && status.deviceMajor == device.major
                && status.deviceMinor == device.minor
        }
    }

    // MARK: - Closing

    /// Makes paths read-only by a bind upon themselves; what the image or kernel does not have is passed over.
    func protect(in root: ContainerRoot) throws(SystemError) {
        for path in plan.readonlyPaths {
            guard let target = try present(path, in: root) else { continue }
            try named(path) { () throws(SystemError) in
                let mount = try Mounts.clone("", at: target.raw, recursive: true)
                try Mounts.set(mount.raw, adding: .readOnly)
                try Mounts.attach(mount.raw, at: target.raw)
            }
        }
        var (cover, null): (SharedDescriptor?, SharedDescriptor?)
        for path in plan.maskedPaths {
            guard let target = try present(path, in: root) else { continue }
            try named(path) { () throws(SystemError) in
                guard try Files.status(ofDescriptor: target.raw).kind == .directory else {
                    return try coverUp(target.raw, &null) { () throws(SystemError) in try nullCover(in: root)
                    }
                }
                // One empty file system covers all directories.
                try coverUp(target.raw, &cover, emptyDirectory)
            }
        }
    }

    /// Attaches a mount that is made the first time, and later a copy of it.
    private func coverUp(
        _ target: Int32,
        _ first: inout SharedDescriptor?,
        _ make: () throws(SystemError) -> Descriptor
    ) throws(SystemError) {
        if let first {
            defer { withExtendedLifetime(first) {} }
            let copy = try Mounts.clone("", at: first.raw, recursive: false)
            return try Mounts.attach(copy.raw, at: target)
        }
        let made = SharedDescriptor(try make())
        try Mounts.attach(made.raw, at: target)
        first = made
    }

    /// The container's own null device where it has one: then no file system is taken down again, for which the kernel
    /// would keep its start waiting.
    private func nullCover(in root: ContainerRoot) throws(SystemError) -> Descriptor {
        guard hasOwnDevices, let own = try present("/dev/null", in: root),
            NullDevice.isNull(try Files.status(ofDescriptor: own.raw))
        else { return try NullDevice.makeCover() }
        let mount = try Mounts.clone("", at: own.raw, recursive: false)
        try Mounts.set(mount.raw, adding: .readOnly)
        return mount
    }

    private func emptyDirectory() throws(SystemError) -> Descriptor {
        let context = try Mounts.openFileSystem("tmpfs")
        try Mounts.configure(context.raw, "size", "0")
        try Mounts.configure(context.raw, "nr_inodes", "1")
        return try Mounts.create(context.raw, [.readOnly, .noSetID, .noDevices, .noExecution])
    }

    private func present(_ path: String, in root: ContainerRoot) throws(SystemError) -> Descriptor? {
        do throws(SystemError) {
            return try root.place(path)
        } catch {
            guard error.code == 2 || error.code == 20 else { throw error }
            return nil
        }
    }

    /// Makes the mount the root of the process and lets go of the host's.
    func pivot(to root: borrowing Descriptor) throws(SystemError) {
        let host = try Files.open("/", [.path, .directory])
        try CurrentProcess.enter(root.raw)
        try Mounts.pivotToCurrentDirectory()
        // The old root lies upon the new one now, and is reached by its descriptor only.
        try CurrentProcess.enter(host.raw)
        try Mounts.setPropagation(.slave, at: ".", recursive: true)
        try Mounts.unmount(".", detach: true)
        try CurrentProcess.enter("/")
        if let propagation = plan.rootPropagation {
            try Mounts.set(root.raw, propagation: propagation.kind, recursive: propagation.isRecursive)
        }
        if plan.rootIsReadOnly { try Mounts.set(root.raw, adding: .readOnly) }
    }

    /// What `body` does, with errors that name the container's path instead of an inner one.
    private func named<Result: ~Copyable>(
        _ path: String,
        _ body: () throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        do throws(SystemError) {
            return try body()
        } catch {
            throw SystemError(error.operation, path: path, code: error.code)
        }
    }
}
