// SPDX-License-Identifier: Apache-2.0
internal import System

/// Tells petrel-init or systemd about this daemon (the `sd_notify` protocol), and stores descriptors with it.
///
/// Every call connects anew, so that a restarted petrel-init is reached. A message that cannot be delivered within a
/// second is dropped: nobody's work depends on it, SIGHUP asks for everything again, and who stores descriptors learns of it.
package struct Notifier: Sendable {
    private let address: String?

    /// Takes `NOTIFY_SOCKET` from the environment and removes it there.
    package static func take() -> Notifier {
        let address = SystemEnvironment.value(of: "NOTIFY_SOCKET")
        SystemEnvironment.remove("NOTIFY_SOCKET")
        return Notifier(address: address)
    }

    /// - Parameter address: Path of the socket, `@name` for an abstract one; nil: nobody listens.
    package init(address: String?) { self.address = address }

    package static let silent = Notifier(address: nil)

    /// Whether somebody started this process who wants to know.
    package var isPresent: Bool { address != nil }

    /// The daemon serves its socket.
    @discardableResult
    package func ready(status: String? = nil) -> Bool {
        send("READY=1\n" + (status.map { "STATUS=\($0)\n" } ?? ""))
    }

    /// One line for people.
    @discardableResult
    package func status(_ text: String) -> Bool { send("STATUS=\(text)\n") }

    /// The daemon drains and will end.
    @discardableResult
    package func stopping() -> Bool { send("STOPPING=1\n") }

    /// Keeps a copy of a descriptor beyond this process. The next one finds it among its inherited
    /// descriptors.
    /// - Parameter name: At most 255 printable ASCII characters, no colon. Storing under a name that is taken
    ///   adds
    ///   another one, except that the same open file is kept once.
    @discardableResult
    package func store(_ descriptor: Int32, name: String) -> Bool {
        send("FDSTORE=1\nFDNAME=\(name)\n", descriptors: [descriptor])
    }

    /// Drops all stored copies of that name.
    @discardableResult
    package func removeStored(name: String) -> Bool { send("FDSTOREREMOVE=1\nFDNAME=\(name)\n") }

    /// Waits until everything sent before has been read by the other side.
    /// - Returns: false after `milliseconds`, or when nobody is there.
    package func barrier(milliseconds: Int32 = 5_000) -> Bool {
        guard let pipe = try? Pipe() else { return false }
        guard send("BARRIER=1", descriptors: [pipe.writeEnd.raw]) else { return false }
        let reading = pipe.relinquishReadEnd()
        // The receiver closes its copy, the last one, when it gets there.
        let deadline = Clock.bootNanos + Int64(milliseconds) * 1_000_000
        var entries = [Poll.Entry(reading.raw, [])]
        while Clock.bootNanos < deadline {
            guard (try? Poll.wait(&entries, deadlineNanos: deadline)) != nil else { return false }
            if entries[0].found.contains(.hungUp) { return true }
        }
        return false
    }

    private func send(_ text: String, descriptors: [Int32] = []) -> Bool {
        guard let address else { return false }
        do {
            let socket = try UnixSocket.connect(.datagram, to: address)
            // A receiver that is stopped must not stop this daemon too.
            try UnixSocket.setSendTimeout(socket.raw, milliseconds: 1_000)
            try SocketMessages.send(socket.raw, Array(text.utf8), descriptors: descriptors)
            return true
        } catch {
            return false
        }
    }
}
