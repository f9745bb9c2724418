// SPDX-License-Identifier: Apache-2.0
package import System

/// Network namespaces held by descriptor: they live as long as somebody holds one, without a name on the host.
package enum NetworkNamespace {
    /// A new one whose loopback interface is up.
    ///
    /// The caller must have one thread: it enters the new namespace for a moment and goes back.
    package static func create() throws(SystemError) -> Descriptor {
        let path = "/proc/self/ns/net"
        let own = try Files.open(path, .readOnly)
        try Namespaces.unshare(.network)
        do throws(SystemError) {
            let new = try Files.open(path, .readOnly)
            try NetworkInterfaces.setUp("lo")
            try Namespaces.enter(own.raw, .network)
            return new
        } catch {
            try Namespaces.enter(own.raw, .network)
            throw error
        }
    }
}
