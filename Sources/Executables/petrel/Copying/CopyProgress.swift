// SPDX-License-Identifier: Apache-2.0
import Rendering
import Synchronization
import System

/// How far a copy has come: one line at a terminal, renewed in place; a copy that is over at once shows none.
final class CopyProgress: Sendable {
    private static let pause = Duration.milliseconds(100)
    private static let firstAfter = Duration.milliseconds(300)
    private static let clearedLine = "\r\u{1b}[K"

    private struct State {
        var bytes: UInt64 = 0
        var dueAt: ContinuousClock.Instant
        var isShown = false
    }

    private let what: String
    private let state: Mutex<State>

    /// - Parameter what: `Copying to container`.
    init(_ what: String) {
        self.what = what
        state = Mutex(State(dueAt: .now + Self.firstAfter))
    }

    func add(_ count: Int) {
        let line: String? = state.withLock { state in
            state.bytes += UInt64(count)
            guard state.dueAt <= .now else { return nil }
            state.dueAt = .now + Self.pause
            state.isShown = true
            return "\(what) - \(HumanSize.decimal(state.bytes))"
        }
        if let line { Screen.write(Self.clearedLine + line, to: 2) }
    }

    /// Takes the line away.
    func end() {
        let isShown = state.withLock { state in
            defer { state.isShown = false }
            return state.isShown
        }
        if isShown { Screen.write(Self.clearedLine, to: 2) }
    }
}
