// SPDX-License-Identifier: Apache-2.0
package import System

/// Files of containers, as the supervisor gives them. All throw `PeerError`; streams are rightly endless and end by
/// cancellation.
package protocol ContainerFiles: Sendable {
    func pathStatus(of id: ContainerID, _ path: String) async throws(PeerError) -> PathStatus
    /// - Parameter first: Gets what is there, before the first piece of the archive.
    func readArchive(
        of id: ContainerID,
        _ path: String,
        first: (PathStatus) async throws -> Void,
        receive: ([UInt8]) async throws -> Void
    ) async throws
    /// - Parameter next: The next piece of the archive; nil at the end.
    func writeArchive(
        _ order: ArchiveOrder,
        next: @Sendable () async throws -> [UInt8]?
    ) async throws
}

/// What is at a path of a container.
package struct PathStatus: Hashable, Sendable {
    package var name: String
    package var kind: FileStatus.Kind
    package var permissions: UInt32 = 0
    package var sizeBytes: UInt64 = 0
    package var modifiedSeconds: Int64 = 0
    package var modifiedNanos: UInt32 = 0
    /// Of a link: where it leads in the end.
    package var linkTarget = ""
    package var user: UInt32 = 0
    package var group: UInt32 = 0

    package init(name: String, kind: FileStatus.Kind) {
        self.name = name
        self.kind = kind
    }
}

/// Where an archive is to be unpacked.
package struct ArchiveOrder: Hashable, Sendable {
    package var container: ContainerID
    /// A directory in it.
    package var path: String
    /// A directory is not replaced by anything else, and nothing else by a directory.
    package var keepsKinds: Bool
    /// What is written belongs to the container's user, whatever the archive says.
    package var isForUser: Bool

    package init(container: ContainerID, path: String, keepsKinds: Bool, isForUser: Bool) {
        self.container = container
        self.path = path
        self.keepsKinds = keepsKinds
        self.isForUser = isForUser
    }
}
