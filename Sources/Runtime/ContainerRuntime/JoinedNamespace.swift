// SPDX-License-Identifier: Apache-2.0
package import System

/// A namespace of another container, entered instead of a new one.
package struct JoinedNamespace: Hashable, Sendable {
    /// One of `.network`, `.process` and `.ipc`.
    package let kind: NamespaceKinds
    /// A pidfd of the other one's first process; lent.
    package let process: Int32

    package init(_ kind: NamespaceKinds, of process: Int32) {
        self.kind = kind
        self.process = process
    }
}

/// The file system at another container's /dev/shm: it belongs to its IPC namespace, as the kernel's own queues do.
enum SharedMemory {
    static let path = "/dev/shm"

    /// A detached copy of that mount. The calling process, which has one thread, enters the other's mount namespace for a
    /// moment: only from within can its mounts be copied.
    /// - Throws: `ESRCH` when that process has ended; `ENOENT` where it has no /dev/shm.
    static func clone(of process: Int32) throws(SystemError) -> Descriptor {
        let own = try Files.open("/proc/self/ns/mnt", .readOnly)
        try Namespaces.enter(process, .mount)
        let mount: Descriptor
        do throws(SystemError) {
            // The other one's root is `/` now; no link in it is followed.
            let place = try Files.open(
                path,
                [.path, .directory],
                at: Files.currentDirectory,
                resolving: .noSymbolicLinks
            )
            mount = try Mounts.clone("", at: place.raw, recursive: false)
        } catch {
            try Namespaces.enter(own.raw, .mount)
            throw error
        }
        try Namespaces.enter(own.raw, .mount)
        return mount
    }
}
