// SPDX-License-Identifier: Apache-2.0
package import RuntimeSpec
package import System

/// A mount with its options understood: what the kernel is to be asked for.
package struct MountPlan: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case bind(source: String, recursive: Bool)
        case fileSystem(type: String, source: String)
        /// The container's own control groups, as the machine's layout has them.
        case cgroup
    }

    /// An option for the file system itself; nil: a flag.
    package struct Option: Hashable, Sendable {
        package let key: String
        package let value: String?

        package init(_ key: String, _ value: String? = nil) {
            self.key = key
            self.value = value
        }
    }

    package let destination: String
    package let kind: Kind
    package private(set) var adding: MountAttributes = []
    package private(set) var removing: MountAttributes = []
    /// For the mount and all below it.
    package private(set) var addingRecursively: MountAttributes = []
    package private(set) var removingRecursively: MountAttributes = []
    package private(set) var propagation: [Propagation] = []
    package private(set) var options: [Option] = []

    package struct Propagation: Hashable, Sendable {
        package let kind: MountPropagation
        package let isRecursive: Bool
    }

    package init(_ mount: MountSpec) {
        destination = mount.destination
        if mount.isBind {
            kind = .bind(
                source: mount.source,
                recursive: mount.options.contains("rbind") || !mount.options.contains("bind")
            )
        } else if mount.type == "cgroup" || mount.type == "cgroup2" {
            kind = .cgroup
        } else {
            kind = .fileSystem(type: mount.type, source: mount.source)
        }
        for option in mount.options { read(option) }
    }

    /// Whether no link may stand in the way to the destination: an image must not choose where these appear.
    package var isKernelView: Bool {
        guard case .fileSystem(let type, _) = kind else { return false }
        return type == "proc" || type == "sysfs"
    }

    /// Whether it is a file system of terminals.
    var isTerminals: Bool {
        guard case .fileSystem("devpts", _) = kind else { return false }
        return true
    }

    /// Whether it is the memory that belongs to an IPC namespace, and not something else that the user put there.
    var isSharedMemory: Bool {
        destination == SharedMemory.path && kind == .fileSystem(type: "tmpfs", source: "shm")
    }

    private mutating func read(_ option: String) {
        if let change = Self.attributes[option] {
            adding = adding.subtracting(change.removing).union(change.adding)
            removing = removing.subtracting(change.adding).union(change.removing)
        } else if option.hasPrefix("r"), let change = Self.attributes[String(option.dropFirst())] {
            addingRecursively = addingRecursively.subtracting(change.removing).union(change.adding)
            removingRecursively = removingRecursively.subtracting(change.adding).union(change.removing)
        } else if let kind = Self.propagations[option] {
            propagation.append(Propagation(kind: kind, isRecursive: false))
        } else if option.hasPrefix("r"), let kind = Self.propagations[String(option.dropFirst())] {
            propagation.append(Propagation(kind: kind, isRecursive: true))
        } else if !Self.ignored.contains(option), !option.isEmpty {
            if let mark = option.firstIndex(of: "=") {
                options.append(Option(String(option[..<mark]), String(option[option.index(after: mark)...])))
            } else {
                options.append(Option(option))
            }
        }
    }

    private static let ignored: Set<String> = ["bind", "rbind", "defaults", "newinstance", "loud", "silent"]

    private static let propagations: [String: MountPropagation] = [
        "private": .private, "shared": .shared, "slave": .slave, "unbindable": .unbindable,
    ]

    private static let attributes: [String: (adding: MountAttributes, removing: MountAttributes)] = [
        "ro": (.readOnly, []), "rw": ([], .readOnly),
        "nosuid": (.noSetID, []), "suid": ([], .noSetID),
        "nodev": (.noDevices, []), "dev": ([], .noDevices),
        "noexec": (.noExecution, []), "exec": ([], .noExecution),
        "noatime": (.noAccessTimes, []), "atime": ([], .accessTimes),
        "relatime": ([], .accessTimes), "norelatime": ([], []),
        "strictatime": (.strictAccessTimes, []), "nostrictatime": ([], .strictAccessTimes),
        "nodiratime": (.noDirectoryAccessTimes, []), "diratime": ([], .noDirectoryAccessTimes),
        "nosymfollow": (.noSymbolicLinks, []), "symfollow": ([], .noSymbolicLinks),
    ]
}
