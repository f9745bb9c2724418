// SPDX-License-Identifier: Apache-2.0
package import System

/// One container's group: the same path in every hierarchy of the machine.
///
/// A value that names the group; the kernel has the state. Every operation may be repeated: creating what exists,
/// thawing what runs, killing and removing what is gone are harmless.
package struct Cgroup: Hashable, Sendable {
    package let layout: CgroupLayout
    /// Relative to each mount point: `petrel-1a2b3c4d/0123…`.
    package let path: String

    /// - Throws: `EINVAL` for a path that is empty or would leave the hierarchy.
    package init(_ path: String, in layout: CgroupLayout) throws(SystemError) {
        let parts = path.split(separator: "/")
        guard !parts.isEmpty, !parts.contains(".."), !parts.contains("."), !path.utf8.contains(0) else {
            throw SystemError("cgroup", path: path, code: 22)
        }
        self.layout = layout
        self.path = parts.joined(separator: "/")
    }

    /// The group's directory in a version 1 hierarchy.
    package func directory(in hierarchy: CgroupLayout.Hierarchy) -> String {
        hierarchy.mountPoint + "/" + path
    }

    /// The group's directory in the version 2 tree; nil where there is none.
    package var unifiedDirectory: String? { layout.unifiedMountPoint.map { $0 + "/" + path } }

    /// The directory that answers for a controller, whichever version has it.
    package func directory(of controller: String) -> String? {
        if let hierarchy = layout.hierarchy(of: controller) { return directory(in: hierarchy) }
        return layout.kind == .unified ? unifiedDirectory : nil
    }

    /// All directories, the version 2 one last.
    var directories: [String] {
        layout.hierarchies.map(directory(in:)) + (unifiedDirectory.map { [$0] } ?? [])
    }

    /// Whether the group is there (in any hierarchy).
    package var exists: Bool { directories.contains { Files.exists($0) } }

    // MARK: - Life cycle

    /// Makes the group and its missing parents in every hierarchy.
    package func create() throws(CgroupError) {
        // What a process can be cloned into may be there.
        try createUnified()
        do throws(SystemError) {
            for hierarchy in layout.hierarchies {
                try make(directory(in: hierarchy), below: hierarchy.mountPoint) { _ in }
                if hierarchy.controllers.contains("cpuset") {
                    try Self.inheritCpuset(directory(in: hierarchy))
                }
            }
        } catch {
            throw .system(error)
        }
    }

    /// Makes the group in the version 2 tree only, where there is one: a process can be cloned into it while `create` makes
    /// the rest.
    package func createUnified() throws(CgroupError) {
        guard let mountPoint = layout.unifiedMountPoint, let directory = unifiedDirectory else { return }
        do throws(SystemError) {
            let isUnified = layout.kind == .unified
            let prepare = isUnified ? Self.enableControllers : { _ in }
            if isUnified { try makeParents(below: mountPoint, prepare) }
            try make(directory, below: mountPoint, prepare)
        } catch {
            throw .system(error)
        }
    }

    /// - Parameter prepare: What each parent needs, which may have to be made again.
    private func make(
        _ directory: String,
        below mountPoint: String,
        _ prepare: (String) -> Void
    ) throws(SystemError) {
        // Another container's removal may take an empty parent away between two steps.
        var attempts = 20
        while true {
            do throws(SystemError) {
                return try Files.makeDirectory(directory)
            } catch {
                if error.code == 17 { return }
                guard error.code == 2, attempts > 0 else { throw error }
                attempts -= 1
                try makeParents(below: mountPoint, prepare)
            }
        }
    }

    private func makeParents(
        below mountPoint: String,
        _ prepare: (String) -> Void
    ) throws(SystemError) {
        prepare(mountPoint)
        var directory = mountPoint
        for part in path.split(separator: "/").dropLast() {
            directory += "/" + part
            do throws(SystemError) {
                try Files.makeDirectory(directory)
                Self.mark(directory)
            } catch {
                // Gone again is seen by whoever makes what is to be in it.
                guard error.code == 17 || error.code == 2 else { throw error }
            }
            prepare(directory)
        }
    }

    /// Tells a parent that was made here from one that was there before, with limits of somebody else.
    private static let madeHere = "trusted.petrel.made"

    private static func mark(_ directory: String) {
        guard let file = try? Files.open(directory, [.readOnly, .directory]) else { return }
        // Without it the group stays when it is empty.
        try? Files.setAttribute(madeHere, to: [1], ofDescriptor: file.raw)
    }

    /// A suite's own group: `petrel`, or `petrel-` and its id of 8 hexadecimal digits.
    private static func isOfSuite(_ path: String) -> Bool {
        guard path.hasPrefix("petrel-") else { return path == "petrel" }
        let id = path.utf8.dropFirst("petrel-".utf8.count)
        return id.count == 8 && id.allSatisfy { ($0 >= 0x30 && $0 <= 0x39) || ($0 >= 0x61 && $0 <= 0x66) }
    }

    private static func isMadeHere(_ directory: String) -> Bool {
        (try? Files.attribute(madeHere, of: directory)) ?? nil != nil
    }

    /// A new cpuset is empty, as its parent may be, and nobody can join it until it has both.
    private static func inheritCpuset(_ directory: String) throws(SystemError) {
        let parent = Files.parentPath(of: directory)
        for file in ["cpuset.cpus", "cpuset.mems"] where try Files.text(of: directory + "/" + file).isEmpty {
            var inherited = try Files.text(of: parent + "/" + file)
            if inherited.isEmpty {
                try inheritCpuset(parent)
                inherited = try Files.text(of: parent + "/" + file)
            }
            try Files.writeOnce(inherited, to: directory + "/" + file)
        }
    }

    /// Lets the children of a version 2 group have what it has itself; what it has not stays off.
    private static func enableControllers(_ directory: String) {
        guard let available = try? Files.text(of: directory + "/cgroup.controllers") else { return }
        for controller in available.split(separator: " ") {
            // Refused for some (threads in the group, realtime processes): a limit that needs it says so later.
            try? Files.writeOnce("+" + controller, to: directory + "/cgroup.subtree_control")
        }
    }

    /// Joins the calling process, which must have one thread, to every version 1 hierarchy.
    ///
    /// Writing `0` to `tasks` moves only this thread, and so skips the wait that moving a process costs.
    package func joinLegacy() throws(SystemError) {
        for hierarchy in layout.hierarchies {
            try Files.writeOnce("0", to: directory(in: hierarchy) + "/tasks")
        }
    }

    /// The version 2 directory, for a clone into it; nil where there is none.
    package func openUnified() throws(SystemError) -> SharedDescriptor? {
        guard let directory = unifiedDirectory else { return nil }
        return SharedDescriptor(try Files.open(directory, [.readOnly, .directory]))
    }

    /// Removes the group, groups that the container made below it, and parents that are empty then and were made here. A
    /// suite's own group stays, as the next container needs it: to make it anew is a third of the work of a group.
    ///
    /// Waits for processes that are just ending, at most about two seconds.
    /// - Throws: `EBUSY` when some do not end.
    package func remove() throws(SystemError) {
        for directory in directories { try Self.removeTree(directory) }
        removeParents()
    }

    private func removeParents() {
        for mountPoint in layout.hierarchies.map(\.mountPoint) + (layout.unifiedMountPoint.map { [$0] } ?? [])
        {
            var parent = Files.parentPath(of: path)
            while parent != ".", !Self.isOfSuite(parent), Self.isMadeHere(mountPoint + "/" + parent),
                (try? Files.removeDirectory(mountPoint + "/" + parent, at: Files.currentDirectory)) != nil
            {
                parent = Files.parentPath(of: parent)
            }
        }
    }

    /// Removes the group, and parents as `remove` does, where nothing is in it now: neither a process nor a group.
    /// - Returns: false when something is, or what is there cannot be removed; it stays then, in that hierarchy.
    @discardableResult
    package func removeIfEmpty() -> Bool {
        var isGone = true
        for directory in directories {
            do throws(SystemError) {
                try Files.removeDirectory(directory, at: Files.currentDirectory)
            } catch {
                isGone = isGone && error.code == 2
            }
        }
        if isGone { removeParents() }
        return isGone
    }

    private static func removeTree(_ directory: String) throws(SystemError) {
        for attempt in 0... {
            do throws(SystemError) {
                try removeOnce(directory)
                return
            } catch {
                if error.code == 2 { return }
                guard error.code == 16, attempt < 200 else { throw error }
                Clock.sleep(nanos: attempt < 10 ? 1_000_000 : 10_000_000)
            }
        }
    }

    private static func removeOnce(_ directory: String) throws(SystemError) {
        do throws(SystemError) {
            try Files.removeDirectory(directory, at: Files.currentDirectory)
        } catch {
            guard error.code == 16 || error.code == 39 else { throw error }
            for child in try children(of: directory) { try removeTree(directory + "/" + child) }
            try Files.removeDirectory(directory, at: Files.currentDirectory)
        }
    }

    /// Groups directly below; the rest of such a directory is files, of which there are many: the number of links, two and
    /// one for each group below, mostly spares looking at them.
    static func children(of directory: String) throws(SystemError) -> [String] {
        guard try Files.status(of: directory).linkCount != 2 else { return [] }
        return try Files.names(in: directory).filter {
            (try? Files.status(of: directory + "/" + $0))?.kind == .directory
        }
    }
}
