// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import Logs
internal import Synchronization

/// What one reader has received of a container's output, as he says.
final class OutputReceipts: Sendable {
    private struct State {
        var position = LogPosition.start
        var isComplete = false
    }

    private let state = Mutex(State())
    private let changes = Changes()

    /// Up to where he has everything, as far as he has said.
    var position: LogPosition { state.withLock { $0.position } }

    /// He will say no more: either he has everything, or what he has not is nobody's.
    var isComplete: Bool { state.withLock { $0.isComplete } }

    var version: UInt64 { changes.version }

    /// Listens to the reader until he has said that nothing is missing.
    /// - Parameter next: His next word: up to where he has everything; nil: that was the last.
    /// - Throws: `.badPosition`; what `next` throws when he has gone.
    func collect(_ next: @Sendable () async throws -> String?) async throws {
        while let text = try await next() {
            let place = try OutputPlace(text)
            state.withLock { $0.position = max($0.position, place.position) }
            changes.announce()
        }
        state.withLock { $0.isComplete = true }
        changes.announce()
    }

    /// Rightly endless.
    func wait(beyond seen: UInt64) async throws { try await changes.wait(beyond: seen) }

    /// Rightly endless: the reader may be waiting for whoever reads what he writes.
    func waitUntilComplete() async throws {
        while true {
            let seen = changes.version
            if state.withLock({ $0.isComplete }) { return }
            try await changes.wait(beyond: seen)
        }
    }
}
