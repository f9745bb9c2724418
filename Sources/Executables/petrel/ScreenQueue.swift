// SPDX-License-Identifier: Apache-2.0
import Events
import Messages
import Rendering
import Synchronization
import System

/// Output on its way to our standard output and error: one piece that is being written, and one that waits for that.
///
/// So whoever receives it can see to his call while nobody reads what we write.
final class ScreenQueue: Sendable {
    private struct State {
        var waiting: EngineV1.LogsResponse?
        var isFinished = false
    }

    private let state = Mutex(State())
    private let changes = Changes()

    /// Waits until the piece before it is being written.
    /// - Returns: Whether it has been added: false after `limit`, or when the task is cancelled.
    func add(_ piece: EngineV1.LogsResponse, within limit: Duration) async -> Bool {
        let deadline = Clock.bootNanos + Int64(limit / .nanoseconds(1))
        while true {
            let seen = changes.version
            let isAdded = state.withLock { state in
                guard state.waiting == nil else { return false }
                state.waiting = piece
                return true
            }
            if isAdded {
                changes.announce()
                return true
            }
            guard (try? await changes.wait(beyond: seen, untilBootNanos: deadline)) != nil,
                Clock.bootNanos < deadline
            else { return false }
        }
    }

    /// Nothing is added any more.
    func finish() {
        state.withLock { $0.isFinished = true }
        changes.announce()
    }

    /// Writes what is added, until there is no more.
    func write() async {
        while true {
            let seen = changes.version
            let (piece, isFinished) = state.withLock { state in
                defer { state.waiting = nil }
                return (state.waiting, state.isFinished)
            }
            if let piece {
                changes.announce()
                await Self.write(piece)
            } else if isFinished {
                return
            } else {
                guard (try? await changes.wait(beyond: seen)) != nil else { return }
            }
        }
    }

    private static func write(_ piece: EngineV1.LogsResponse) async {
        if piece.skippedBytes > 0 {
            Screen.say(
                "petrel: about \(HumanSize.decimal(piece.skippedBytes)) of output were rotated away unread"
            )
        }
        if !piece.data.isEmpty { await Screen.copy(piece.data, to: piece.stream == 2 ? 2 : 1) }
    }
}
