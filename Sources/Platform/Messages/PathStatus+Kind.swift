// SPDX-License-Identifier: Apache-2.0
package import System

/// Kinds of files, as they travel.
extension CommonV1.PathStatus.Kind {
    package init(_ kind: FileStatus.Kind) {
        self =
            switch kind {
            case .regular: .regular
            case .directory: .directory
            case .symbolicLink: .symbolicLink
            case .characterDevice: .characterDevice
            case .blockDevice: .blockDevice
            case .fifo: .fifo
            case .socket: .socket
            }
    }
}

extension FileStatus.Kind {
    /// One that a later release knows is taken for a regular file.
    package init(_ kind: CommonV1.PathStatus.Kind) {
        self =
            switch kind {
            case .directory: .directory
            case .symbolicLink: .symbolicLink
            case .characterDevice: .characterDevice
            case .blockDevice: .blockDevice
            case .fifo: .fifo
            case .socket: .socket
            default: .regular
            }
    }
}
