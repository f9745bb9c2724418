// SPDX-License-Identifier: Apache-2.0
import Suite
import SupervisorCore
import Synchronization
import System

/// Third copies lie with whoever started this daemon: petrel-init or systemd.
///
/// What cannot be delivered now (the receiver is stopped, its queue full) is told later by `catchUp`; until then nothing
/// more is tried, since every attempt would hold up a container for a second.
final class NotifierStore: DescriptorStore {
    private static let pause = Duration.seconds(5)

    private struct State {
        var isBehind = false
        /// Names whose removal was not delivered: a copy that stays hides the end of a pipe.
        var removals: Set<String> = []
    }

    private let notifier: Notifier
    private let state = Mutex(State())

    init(notifier: Notifier) { self.notifier = notifier }

    func store(_ descriptor: Int32, name: String) {
        guard notifier.isPresent else { return }
        let isBehind = state.withLock { state in
            state.removals.remove(name)
            return state.isBehind
        }
        guard !isBehind, notifier.store(descriptor, name: name) else {
            return state.withLock { $0.isBehind = true }
        }
    }

    func remove(name: String) {
        guard notifier.isPresent else { return }
        let isBehind = state.withLock { $0.isBehind }
        guard !isBehind, notifier.removeStored(name: name) else {
            return state.withLock { state in
                state.isBehind = true
                state.removals.insert(name)
            }
        }
    }

    /// Delivers later what could not be delivered. Until cancelled.
    func catchUp(_ storeAgain: () async -> Void) async throws {
        while true {
            try await Task.sleep(for: Self.pause)
            guard let removals = takeOpenRemovals() else { continue }
            for name in removals { remove(name: name) }
            await storeAgain()
        }
    }

    private func takeOpenRemovals() -> Set<String>? {
        state.withLock { state in
            guard state.isBehind else { return nil }
            state.isBehind = false
            defer { state.removals = [] }
            return state.removals
        }
    }
}
