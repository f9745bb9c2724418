// SPDX-License-Identifier: Apache-2.0

/// A daemon that petrel-init looks after.
package struct DaemonDefinition: Hashable, Sendable {
    /// `engine`: the name of its socket, lock, log and state.
    package let name: String
    /// `petrel-engine`: the file in the folder of executables.
    package let executable: String
    /// Of its listening socket.
    package let socketMode: UInt32

    package init(name: String, executable: String, socketMode: UInt32 = 0o600) {
        self.name = name
        self.executable = executable
        self.socketMode = socketMode
    }

    /// The suite, in the order of its start. Each daemon calls only earlier ones.
    package static let suite = [
        DaemonDefinition(name: "image-store", executable: "petrel-image-store"),
        DaemonDefinition(name: "supervisor", executable: "petrel-runtime-supervisor"),
        DaemonDefinition(name: "engine", executable: "petrel-engine", socketMode: 0o660),
    ]
}
