// SPDX-License-Identifier: Apache-2.0
package import System

/// How a daemon comes by its listening socket.
package enum Listener {
    /// The inherited socket named `<daemon>` (or `<daemon>.socket`, systemd's default), which keeps
    /// connections waiting while the daemon restarts; without one, a new socket at `RUN/<daemon>.sock` that
    /// replaces a stale one.
    /// - Parameter mode: Of a new socket: 0600, or 0660 for those with a group.
    /// - Returns: A listening stream socket. An inherited one is a duplicate: number 3 stays open.
    package static func open(
        daemon: String,
        at location: SuiteLocation,
        inherited: InheritedDescriptors,
        mode: UInt32 = 0o600
    ) throws(SystemError) -> Descriptor {
        if let socket = inherited[daemon] ?? inherited[daemon + ".socket"] { return try socket.duplicate() }
        return try UnixSocket.listen(
            .stream,
            at: location.socket(of: daemon),
            mode: mode,
            group: SocketGroup.id(forMode: mode)
        )
    }
}
