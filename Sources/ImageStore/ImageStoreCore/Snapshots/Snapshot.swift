// SPDX-License-Identifier: Apache-2.0
/// Names a snapshot: the key is unique for its owner.
package struct SnapshotKey: Hashable, Sendable, CustomStringConvertible {
    package let owner: String
    package let key: String

    package init(owner: String, key: String) {
        self.owner = owner
        self.key = key
    }

    package var description: String { owner + "/" + key }

    /// Both parts given, at most 255 bytes each, without control characters.
    var isValid: Bool {
        [owner, key].allSatisfy { part in
            (1...255).contains(part.utf8.count) && part.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
        }
    }
}

/// What a snapshot is to outlive.
package enum SnapshotEndurance: Hashable, Sendable {
    /// The machine's power: it is on the disk when its owner is told of it.
    case lasting
    /// The store's processes only, until it is asked for again as `lasting`: until then its owner may be the one that has
    /// lost its record, and removes what it does not know.
    case provisional
    /// Not this boot of the machine: it is removed at the next one, and nothing of it waits for the disk.
    case transient
}

/// One mount as the kernel has it.
package struct MountDescription: Hashable, Sendable {
    package let type: String
    package let source: String
    package let options: [String]
}

/// One snapshot of a list.
package struct ListedSnapshot: Hashable, Sendable {
    package let key: SnapshotKey
    package let imageID: String
    package let upperDirectory: String
    package let endurance: SnapshotEndurance
}

/// A writable layer on an image's layers, which it pins until it is removed.
package struct Snapshot: Hashable, Sendable {
    package let key: SnapshotKey
    package let imageID: String
    /// Uppermost first; at least one.
    package let lowerDirectories: [String]
    /// What the container changed.
    package let upperDirectory: String
    package let workDirectory: String
    /// It is of no use after this boot of the machine.
    package let isTransient: Bool

    /// How the root is mounted: each `lowerdir+` is one call of `fsconfig`, uppermost first.
    ///
    /// Of one that is transient nothing need reach the disk: `volatile` keeps the kernel from syncing the whole file system
    /// below it at each unmount, and from waiting for the disk at a container's fsync.
    package var mounts: [MountDescription] {
        [
            MountDescription(
                type: "overlay",
                source: "overlay",
                options: lowerDirectories.map { "lowerdir+=" + $0 }
                    + ["upperdir=" + upperDirectory, "workdir=" + workDirectory]
                    + (isTransient ? ["volatile"] : [])
            )
        ]
    }
}
