// SPDX-License-Identifier: Apache-2.0
import Events
import Synchronization

/// Something that happens once, and that others wait for.
final class Milestone: Sendable {
    private let value = Mutex(false)
    private let changes = Changes()

    var isSet: Bool { value.withLock { $0 } }

    func set() {
        value.withLock { $0 = true }
        changes.announce()
    }

    /// Rightly endless.
    /// - Throws: `CancellationError`.
    func wait() async throws {
        while true {
            let seen = changes.version
            if isSet { return }
            try await changes.wait(beyond: seen)
        }
    }
}
