// SPDX-License-Identifier: Apache-2.0

/// How a tree is unpacked: what differs between an image's layer and files that are copied.
package struct UnpackRules: Hashable, Sendable {
    /// Whose the files are afterwards.
    package enum Ownership: Hashable, Sendable {
        /// As the archive says; the process must be root.
        case archived
        case given(user: UInt32, group: UInt32)
        /// The process's own: nothing is set.
        case process
    }

    /// Of directories above an entry.
    package var depth = 1_000
    /// What is remembered of directories until the end, in bytes.
    package var nameBytes = 128 << 20
    package var ownership = Ownership.archived
    /// The directory was empty, will be a lower one of overlayfs, and whiteouts (devices 0/0) in it are such. What is made
    /// has owner 0 already, and no inherited rights but those that the archive itself brings.
    package var isLayer = false
    /// A directory is not replaced by anything else, and nothing else by a directory.
    package var keepsKinds = false
    /// Device nodes are made; else they are passed over, and counted.
    package var makesDevices = true

    package init() {}

    package static let layer = {
        var rules = UnpackRules()
        rules.isLayer = true
        return rules
    }()
}
