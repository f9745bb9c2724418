// SPDX-License-Identifier: Apache-2.0

/// The engine's view of the image store; snapshots are the engine's own, their key is the container's id.
///
/// Unary calls wait for a store that is restarting, within the caller's deadline. All throw `PeerError`.
package protocol ImageSource: Sendable {
    /// By reference, id or unambiguous beginning of an id.
    func image(_ reference: String) async throws(PeerError) -> StoredImage
    /// All that match a pattern with `*`; all for an empty one.
    func images(matching pattern: String) async throws(PeerError) -> [StoredImage]
    func remove(_ reference: String, force: Bool) async throws(PeerError) -> ImageRemoval
    /// Repeating it is harmless.
    func tag(_ source: String, as target: String) async throws(PeerError)
    /// Removes it if it is there and nothing uses it now; with `untaggedOnly` only if it has no tag now.
    func prune(_ id: String, untaggedOnly: Bool) async throws(PeerError) -> ImagePruning
    /// What images take on the disk; with `containers` also what the engine's snapshots do, which takes time.
    func usage(containers: Bool) async throws(PeerError) -> ImageUsage
    /// What one container has written; nil where it has no snapshot.
    func written(by id: ContainerID) async throws(PeerError) -> ImageUsage.Written?
    /// Repeating it is harmless.
    /// - Parameter reference: What the image was found by: fails with reason `image_moved` when that names another one now.
    func prepareSnapshot(
        _ key: ContainerID,
        of image: String,
        called reference: String,
        _ endurance: SnapshotEndurance
    ) async throws(PeerError) -> PreparedSnapshot
    /// A provisional one lasts from now on.
    func keepSnapshot(_ key: ContainerID, of image: String) async throws(PeerError)
    /// Removing an absent one is harmless.
    func removeSnapshot(_ key: ContainerID) async throws(PeerError)
    /// The engine's snapshots.
    func snapshots() async throws(PeerError) -> [ListedSnapshot]
    func snapshot(_ key: ContainerID) async throws(PeerError) -> PreparedSnapshot
    func version() async throws(PeerError) -> ImageStoreVersion
    /// Hands over what happened to images after `position`, in order, and then what happens, until the store is away or
    /// the task is cancelled.
    /// - Throws: `.outOfRange` when some of it is no longer kept.
    func followEvents(
        after position: JournalPosition,
        _ receive: @Sendable (StoredImageEvent) async throws -> Void
    ) async throws
    /// The place of the last event.
    func eventPosition() async throws(PeerError) -> JournalPosition
}

/// What a snapshot is to outlive.
package enum SnapshotEndurance: Hashable, Sendable {
    /// The machine's power, once the call returns.
    case lasting
    /// Nothing waits for the disk: it is to be made lasting, or removed, by what the engine's own row says.
    case provisional
    /// Not this boot of the machine.
    case transient
}

/// A snapshot of a list.
package struct ListedSnapshot: Hashable, Sendable {
    /// A container's id.
    package let key: String
    package let endurance: SnapshotEndurance

    package init(key: String, _ endurance: SnapshotEndurance = .lasting) {
        self.key = key
        self.endurance = endurance
    }
}

/// Something that happened to an image, as the image store tells it.
package struct StoredImageEvent: Hashable, Sendable {
    package var position: JournalPosition
    /// Docker's word: "pull", "load", "tag", "untag", "delete".
    package var action: String
    package var image: String
    package var name: String
    package var wallUnixNanos: Int64

    package init(
        position: JournalPosition,
        action: String,
        image: String,
        name: String,
        wallUnixNanos: Int64
    ) {
        self.position = position
        self.action = action
        self.image = image
        self.name = name
        self.wallUnixNanos = wallUnixNanos
    }
}

package struct StoredImage: Hashable, Sendable {
    /// The digest of its configuration: `sha256:…`.
    package var id: String
    package var references: [String] = []
    package var repositoryDigests: [String] = []
    package var manifestDigest = ""
    /// The OCI image configuration, byte for byte; empty in lists.
    package var configuration: [UInt8] = []
    package var createdAtUnixNanos: Int64 = 0
    package var sizeBytes: UInt64 = 0
    package var architecture = ""
    package var os = ""
    package var diffIDs: [String] = []
    package var labels: [String: String] = [:]
    /// Its configuration is lost or damaged.
    package var isDamaged = false
    /// Of the unpacked layers, lowest first.
    package var layerBytes: [UInt64] = []

    package init(id: String) { self.id = id }
}

package struct ImageRemoval: Hashable, Sendable {
    package var untagged: [String]
    package var deleted: [String]

    package init(untagged: [String], deleted: [String]) {
        self.untagged = untagged
        self.deleted = deleted
    }
}

package struct ImagePruning: Hashable, Sendable {
    package var removal: ImageRemoval
    package var reclaimedBytes: UInt64

    package init(removal: ImageRemoval, reclaimedBytes: UInt64) {
        self.removal = removal
        self.reclaimedBytes = reclaimedBytes
    }
}

/// What the image store has on the disk.
package struct ImageUsage: Hashable, Sendable {
    /// What a container has written, and how much lies in the layers below.
    package struct Written: Hashable, Sendable {
        package var bytes: UInt64
        package var layersBytes: UInt64

        package init(bytes: UInt64, layersBytes: UInt64) {
            self.bytes = bytes
            self.layersBytes = layersBytes
        }
    }

    /// Of each image's id: how much of it lies in layers that others have too.
    package var sharedBytes: [String: UInt64] = [:]
    package var layersBytes: UInt64 = 0
    package var blobsBytes: UInt64 = 0
    /// By the snapshot's key, which is the container's id.
    package var containers: [String: Written] = [:]

    package init() {}
}

/// A container's root file system: to be mounted in order, each on top of the one before.
package struct PreparedSnapshot: Hashable, Sendable {
    package var mounts: [RootMount]
    /// The folder with what the container changed.
    package var upperDirectory: String

    package init(mounts: [RootMount], upperDirectory: String) {
        self.mounts = mounts
        self.upperDirectory = upperDirectory
    }
}

package struct ImageStoreVersion: Sendable {
    package var release: String
    package var images: UInt64
    package var storageDriver: String

    package init(release: String, images: UInt64, storageDriver: String) {
        self.release = release
        self.images = images
        self.storageDriver = storageDriver
    }
}
