// SPDX-License-Identifier: Apache-2.0
package import System

/// What is to be done with a container's files.
package struct CopyOrder: Hashable, Sendable {
    package enum Operation: String, Sendable { case status, read, write }

    package let operation: Operation
    /// In the container.
    package let path: String
    /// Write: a directory is not replaced by anything else, and nothing else by a directory.
    package let keepsKinds: Bool
    /// Write: what is written belongs to the container's user, whatever the archive says.
    package let isForUser: Bool

    package init(_ operation: Operation, path: String, keepsKinds: Bool = false, isForUser: Bool = false) {
        self.operation = operation
        self.path = path
        self.keepsKinds = keepsKinds
        self.isForUser = isForUser
    }
}

/// What is at a path of a container.
package struct PathStatus: Hashable, Sendable {
    package let name: String
    package let kind: FileStatus.Kind
    package let permissions: UInt32
    package let sizeBytes: UInt64
    package let modifiedSeconds: Int64
    package let modifiedNanos: UInt32
    /// Of a link: where it leads in the end.
    package let linkTarget: String
    package let user: UInt32
    package let group: UInt32
}

/// Why a copy came to nothing.
package struct CopyFailure: Error, Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case system, pathNotFound, notADirectory, readOnly, conflict, badArchive, noRoot, changed
        /// The process that did it ended without a word.
        case ended
        /// That process got nowhere for too long.
        case stalled
        /// The container was started or removed meanwhile, or is being started.
        case disturbed
        /// More copies of one container at a time than are allowed.
        case tooMany
    }

    package let kind: Kind
    package let path: String
    /// In words; empty where the kind says it all.
    package let message: String
    package let errno: Int32

    package init(_ kind: Kind, path: String, message: String = "", errno: Int32 = 0) {
        self.kind = kind
        self.path = path
        self.message = message
        self.errno = errno
    }
}
