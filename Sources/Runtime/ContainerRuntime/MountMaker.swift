// SPDX-License-Identifier: Apache-2.0
internal import Cgroups
internal import System

/// Makes the detached mount that a plan describes. Nothing is attached here.
struct MountMaker {
    let cgroup: Cgroup
    /// Of the container's processes; nil: the one that this process is in.
    let processNamespace: Int32?

    /// A bind mount or a new file system; not for control groups, which are several mounts.
    func make(_ plan: MountPlan) throws(SystemError) -> Descriptor {
        switch plan.kind {
        case .bind(let source, let recursive):
            let mount = try Mounts.clone(source, recursive: recursive)
            try apply(plan, to: mount.raw)
            return mount
        case .fileSystem("overlay", _):
            let mount = try overlay(plan)
            try applyRecursive(plan, to: mount.raw)
            return mount
        case .fileSystem(let type, let source):
            let context = try open(type)
            if !source.isEmpty { try Mounts.configure(context.raw, "source", source) }
            for option in plan.options { try Mounts.configure(context.raw, option.key, option.value) }
            let mount = try Mounts.create(context.raw, plan.adding)
            try applyRecursive(plan, to: mount.raw)
            return mount
        case .cgroup:
            throw SystemError("mount", path: plan.destination, code: 22)
        }
    }

    private func open(_ type: String) throws(SystemError) -> Descriptor {
        // It shows the processes of a namespace.
        if type == "proc", let processNamespace { return try ProcContext.open(of: processNamespace) }
        return try Mounts.openFileSystem(type)
    }

    private func apply(_ plan: MountPlan, to mount: Int32) throws(SystemError) {
        if !plan.adding.isEmpty || !plan.removing.isEmpty {
            try Mounts.set(mount, adding: plan.adding, removing: plan.removing)
        }
        try applyRecursive(plan, to: mount)
    }

    private func applyRecursive(_ plan: MountPlan, to mount: Int32) throws(SystemError) {
        guard !plan.addingRecursively.isEmpty || !plan.removingRecursively.isEmpty else { return }
        try Mounts.set(
            mount,
            adding: plan.addingRecursively,
            removing: plan.removingRecursively,
            recursive: true
        )
    }

    // MARK: - Overlay

    private func overlay(_ plan: MountPlan) throws(SystemError) -> Descriptor {
        do throws(SystemError) {
            return try overlayByDescriptor(plan)
        } catch {
            // Kernels before 6.8 do not know `lowerdir+`.
            guard error.code == 22, error.operation == "fsconfig", error.path == "lowerdir+" else {
                throw error
            }
            return try overlayByString(plan)
        }
    }

    /// Each layer is its own option, so the length of the chain is bounded by the kernel (500 layers), not by a page.
    private func overlayByDescriptor(_ plan: MountPlan) throws(SystemError) -> Descriptor {
        let context = try Mounts.openFileSystem("overlay")
        try Mounts.configure(context.raw, "source", "overlay")
        for option in plan.options {
            guard let value = option.value else {
                try Mounts.configure(context.raw, option.key)
                continue
            }
            switch option.key {
            case "lowerdir":
                for layer in Self.layers(value) { try setDirectory(context.raw, "lowerdir+", layer) }
            case "lowerdir+": try setDirectory(context.raw, "lowerdir+", value)
            case "upperdir", "workdir": try setDirectory(context.raw, option.key, value)
            default: try Mounts.configure(context.raw, option.key, value)
            }
        }
        return try Mounts.create(context.raw, plan.adding)
    }

    /// By string where it fits (255 bytes), else by descriptor, which newer kernels take.
    private func setDirectory(_ context: Int32, _ key: String, _ path: String) throws(SystemError) {
        if path.utf8.count <= 255 {
            try Mounts.configure(context, key, path)
        } else {
            let directory = try Files.open(path, [.path, .directory])
            try Mounts.configure(context, key, descriptor: directory.raw)
        }
    }

    /// With mount(2), whose options are one page: layers are named by descriptor, which is shorter than by path.
    private func overlayByString(_ plan: MountPlan) throws(SystemError) -> Descriptor {
        var held: [SharedDescriptor] = []
        func short(_ path: String) throws(SystemError) -> String {
            let directory = SharedDescriptor(try Files.open(path, [.path, .directory]))
            held.append(directory)
            return "/proc/self/fd/\(directory.raw)"
        }
        var lower: [String] = []
        var data: [String] = []
        for option in plan.options {
            switch (option.key, option.value) {
            case ("lowerdir", let value?): for layer in Self.layers(value) { lower.append(try short(layer)) }
            case ("lowerdir+", let value?): lower.append(try short(value))
            case ("upperdir", let value?), ("workdir", let value?):
                data.append("\(option.key)=\(try short(value))")
            case (let key, let value?): data.append("\(key)=\(value)")
            case (let key, nil): data.append(key)
            }
        }
        data.insert("lowerdir=" + lower.joined(separator: ":"), at: 0)
        // Attached for a moment over a directory that every machine has, in this process's own mount namespace only.
        let place = "/proc"
        try Mounts.mount("overlay", place, type: "overlay", data: data.joined(separator: ","))
        let mount = try Mounts.clone(place, recursive: false)
        try Mounts.unmount(place, detach: true)
        try apply(plan, to: mount.raw)
        return mount
    }

    /// `a:b\:c` is `a` and `b:c`.
    static func layers(_ text: String) -> [String] {
        var layers = [""]
        var isEscaped = false
        for character in text {
            if isEscaped {
                layers[layers.count - 1].append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == ":" {
                layers.append("")
            } else {
                layers[layers.count - 1].append(character)
            }
        }
        return layers.filter { !$0.isEmpty }
    }

    // MARK: - Control groups

    /// The container's group as /sys/fs/cgroup: on version 2 the group itself; else a tmpfs with one directory for
    /// each hierarchy, named as on the host, and a link for each controller of a joint one.
    func makeCgroups(_ plan: MountPlan, at target: Int32) throws(SystemError) {
        let options = plan.adding.isEmpty ? [.noSetID, .noDevices, .noExecution] : plan.adding
        if cgroup.layout.kind == .unified {
            let mount = try Mounts.clone(cgroup.unifiedDirectory ?? "", recursive: false)
            try Mounts.set(mount.raw, adding: options)
            return try Mounts.attach(mount.raw, at: target)
        }
        let context = try Mounts.openFileSystem("tmpfs")
        try Mounts.configure(context.raw, "source", "cgroup")
        try Mounts.configure(context.raw, "mode", "755")
        let base = try Mounts.create(context.raw, options.subtracting(.readOnly))
        try Mounts.attach(base.raw, at: target)
        for hierarchy in cgroup.layout.hierarchies {
            let name = ContainerRoot.name(of: hierarchy.mountPoint)
            try bind(cgroup.directory(in: hierarchy), name, in: base.raw)
            for controller in hierarchy.controllers where controller != name && !controller.contains("=") {
                try? Files.makeSymbolicLink(controller, to: name, at: base.raw)
            }
        }
        if let mountPoint = cgroup.layout.unifiedMountPoint, let directory = cgroup.unifiedDirectory {
            try bind(directory, ContainerRoot.name(of: mountPoint), in: base.raw)
        }
        // All at once, and read-only last: nothing was to be made in it any more, and nobody else has seen it.
        try Mounts.set(base.raw, adding: options, recursive: true)
    }

    /// - Parameter base: A new file system, in which nobody can have put a link.
    private func bind(_ source: String, _ name: String, in base: Int32) throws(SystemError) {
        try Files.makeDirectory(name, mode: 0o755, at: base)
        let mount = try Mounts.clone(source, recursive: false)
        try Mounts.attach(mount.raw, at: name, in: base)
    }
}
