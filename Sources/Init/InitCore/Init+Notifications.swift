// SPDX-License-Identifier: Apache-2.0
internal import System

/// What daemons say over `RUN/notify.sock`.
extension Init {
    /// Longest datagram, in bytes; a longer one is dropped.
    private static let datagramLimit = 4096
    /// Most datagrams taken before other work gets its turn.
    private static let batch = 256

    func receiveNotifications() {
        for _ in 0..<Self.batch {
            do throws(SystemError) {
                let received = try SocketMessages.receive(notifications.raw, limit: Self.datagramLimit)
                guard !received.isTruncated else {
                    report("notification too long, dropped")
                    continue
                }
                // The kernel vouches for the number. The senders' descriptors are closed when `received` goes.
                guard let pid = received.credentials?.pid, let name = schedule.name(ofProcess: pid) else {
                    continue
                }
                apply(Notification(received.bytes), received.descriptors, to: name)
            } catch {
                if error.name != "EAGAIN" { report("cannot read notifications: \(error)") }
                return
            }
        }
    }

    private func apply(_ notification: Notification, _ descriptors: [SharedDescriptor], to name: String) {
        guard let daemon = daemon(name) else { return }
        if let status = notification.status { schedule[name].report(status: status) }
        if notification.isReady, !schedule[name].isReady {
            schedule[name].becameReady()
            writeRecord(of: daemon)
            report("\(name): ready")
        }
        let label = notification.descriptorName
        if notification.removesDescriptors, let label { daemon.store.remove(label) }
        if notification.storesDescriptors {
            for descriptor in descriptors where !daemon.store.store(descriptor, as: label ?? "stored") {
                report(
                    "\(name): no room for descriptor \(label ?? "stored"), \(daemon.store.entries.count) are stored"
                )
            }
        }
        // A barrier needs nothing more: its descriptor is closed on return, and what came before has been applied.
    }
}
