// SPDX-License-Identifier: Apache-2.0
internal import Messages
internal import System

extension PathStatus {
    init(_ message: CommonV1.PathStatus) {
        self.init(
            name: message.name,
            kind: FileStatus.Kind(message.kind),
            permissions: message.permissions,
            sizeBytes: message.sizeBytes,
            modifiedSeconds: message.modifiedSeconds,
            modifiedNanos: message.modifiedNanos,
            linkTarget: message.linkTarget,
            user: message.user,
            group: message.group
        )
    }
}

extension CopyFailure {
    init(_ message: KeeperV1.CopyFailure) {
        let kind: Kind =
            switch message.kind {
            case .pathNotFound: .pathNotFound
            case .notADirectory: .notADirectory
            case .readOnly: .readOnly
            case .conflict: .conflict
            case .badArchive: .badArchive
            case .noRoot: .noRoot
            case .changed: .changed
            default: .system
            }
        self.init(kind, path: message.path, message: message.message, errno: message.errno)
    }
}
