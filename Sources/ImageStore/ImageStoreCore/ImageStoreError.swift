// SPDX-License-Identifier: Apache-2.0
package import OCI
package import Registry
package import System
package import Tar

/// Why the image store did not do what it was asked.
package enum ImageStoreError: Error, Sendable {
    /// No image has this name or id.
    case imageNotFound(String)
    /// Several images' ids begin so: short ids and names of some.
    case ambiguousID(String, candidates: [String])
    /// Snapshots use the image: `owner/key` of some.
    case imageInUse(String, by: [String])
    /// Removing an id takes several names away, which only `force` does.
    case imageHasSeveralNames(String, [String])
    case invalid(OCIError)
    /// It names another image than the caller believes, or none.
    case imageMoved(String)
    case snapshotNotFound(SnapshotKey)
    /// The owner's key is taken by a snapshot of another image.
    case snapshotConflict(SnapshotKey, imageID: String)
    case invalidSnapshotKey(SnapshotKey)
    /// Bytes that do not have the digest or size that names them.
    case corrupt(subject: String, reason: String)
    /// A manifest, index or configuration that is not as it must be.
    case malformed(subject: String, OCIError)
    /// A tar that is no image archive, or lacks a part.
    case notAnArchive(reason: String)
    /// A layer or archive that is broken or hostile.
    case layer(subject: String, ArchiveError)
    case noSuchPlatform(reference: String, platform: String, available: [String])
    /// The file system that holds the store has no room left.
    case diskFull(subject: String, path: String)
    case registry(RegistryError)
    case system(SystemError)
    /// The catalogue on disk failed.
    case catalog(String)
    /// The catalogue was written by a newer release.
    case newerCatalog(path: String)
    /// Events after the place asked for are no longer kept, or it is none of this store's.
    case eventsGone(present: ImageEventPosition)
    case cancelled

    /// The error of a step on `subject`, in this module's terms.
    init(_ error: any Error, subject: String, path: String = "") {
        switch error {
        case let error as ImageStoreError: self = error
        case let error as ArchiveError: self.init(layer: error, subject: subject, path: path)
        case let error as SystemError: self.init(system: error, subject: subject, path: path)
        case let error as RegistryError: self = error == .cancelled ? .cancelled : .registry(error)
        case let error as OCIError: self = .malformed(subject: subject, error)
        case is CancellationError: self = .cancelled
        default: self = .catalog("\(error)")
        }
    }

    /// Whether bytes are not what they were when they were checked, or are gone.
    var isDamage: Bool {
        switch self {
        case .corrupt: true
        case .layer(_, let error):
            switch error {
            case .tar, .compression, .truncated: true
            case .refused, .system, .limit, .source, .sink, .changed, .cancelled: false
            }
        // ENOENT, EIO, EFBIG: gone, unreadable, or larger than it can have been.
        case .system(let error): [2, 5, 27].contains(error.code)
        default: false
        }
    }

    private init(layer error: ArchiveError, subject: String, path: String) {
        switch error {
        case .source(let inner): self.init(inner, subject: subject, path: path)
        case .cancelled: self = .cancelled
        case .system(_, let system) where system.isOutOfSpace: self = .diskFull(subject: subject, path: path)
        default: self = .layer(subject: subject, error)
        }
    }

    private init(system error: SystemError, subject: String, path: String) {
        self = error.isOutOfSpace ? .diskFull(subject: subject, path: path) : .system(error)
    }
}
