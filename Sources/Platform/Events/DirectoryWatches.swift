// SPDX-License-Identifier: Apache-2.0
internal import Synchronization
package import System

/// Directories of which tasks want to know when something has changed, all watched by one `DirectoryNews` on the event loop:
/// while nobody waits, what is written wakes nobody.
package final class DirectoryWatches: EventLoop.Source, Sendable {
    /// One directory, as long as somebody watches it.
    package final class Watch: Sendable {
        private let watches: DirectoryWatches
        private let number: DirectoryNews.Watch
        private let changes: Changes

        fileprivate init(_ watches: DirectoryWatches, _ number: DirectoryNews.Watch, _ changes: Changes) {
            self.watches = watches
            self.number = number
            self.changes = changes
        }

        /// To be read before looking.
        package var version: UInt64 { changes.version }

        /// Returns once something has changed since the version was `seen`. Rightly endless.
        /// - Throws: `CancellationError`.
        package func wait(beyond seen: UInt64) async throws {
            watches.beginWaiting()
            defer { watches.waiting.leave() }
            try await changes.wait(beyond: seen)
        }

        deinit { watches.release(number) }
    }

    private struct Entry {
        let changes = Changes()
        var count = 0
    }

    /// So often, at most, the loop hears of writes: of what is written fast many may want to know little.
    private static let pause = Duration.milliseconds(1)

    /// The process's own; nil when the user has no more to give when it is first used.
    package static let shared: DirectoryWatches? = {
        guard let watches = try? DirectoryWatches() else { return nil }
        EventLoop.shared.execute { [loop = EventLoop.shared] in
            do throws(SystemError) {
                watches.watched = try loop.watch(watches.news.raw, [], watches)
                watches.listen()
            } catch {
                watches.deafness.withLock { $0 = error }
            }
        }
        return watches
    }()

    private let news: DirectoryNews
    // A number is the kernel's until the watch is released: adding and removing one is done under the lock, and takes
    // microseconds.
    private let entries = Mutex<[DirectoryNews.Watch: Entry]>([:])

    /// Why the loop cannot listen.
    private let deafness = Mutex<SystemError?>(nil)
    private let waiting = WaiterCount()
    // On the loop.
    nonisolated(unsafe) private var watched: EventLoop.Watch?
    nonisolated(unsafe) private var isPausing = false

    private init() throws(SystemError) { news = try DirectoryNews() }

    /// - Throws: `ENOENT` without the directory; `ENOSPC` when the user watches too many; why the loop cannot listen.
    package func watch(_ path: String) throws(SystemError) -> Watch {
        if let error = deafness.withLock({ $0 }) { throw error }
        return try add(path)
    }

    private func add(_ path: String) throws(SystemError) -> Watch {
        try entries.withLock { entries throws(SystemError) in
            let number = try news.watch(path)
            entries[number, default: Entry()].count += 1
            return Watch(self, number, entries[number, default: Entry()].changes)
        }
    }

    private func release(_ number: DirectoryNews.Watch) {
        entries.withLock { entries in
            entries[number]?.count -= 1
            guard entries[number]?.count == 0 else { return }
            entries[number] = nil
            news.unwatch(number)
        }
    }

    package func ready(_ found: Epoll.Interest) {
        let found = news.take()
        let changes = entries.withLock { entries in
            found.isIncomplete
                ? entries.values.map(\.changes) : found.changed.compactMap { entries[$0]?.changes }
        }
        for changes in changes { changes.announce() }
        guard let watched else { return }
        EventLoop.shared.change(watched, [])
        isPausing = true
        EventLoop.shared.schedule(after: Self.pause) { [self] in
            isPausing = false
            listen()
        }
    }

    private func beginWaiting() {
        guard waiting.enter() else { return }
        EventLoop.shared.execute { [self] in listen() }
    }

    /// On the loop. What has changed since it last did is found at once.
    private func listen() {
        guard let watched, !isPausing, waiting.isAnybody else { return }
        EventLoop.shared.change(watched, .readable)
    }
}

/// How many tasks wait at the moment.
private final class WaiterCount: Sendable {
    private let count = Mutex(0)

    var isAnybody: Bool { count.withLock { $0 > 0 } }

    /// - Returns: Whether it is the first.
    func enter() -> Bool {
        count.withLock { count in
            count += 1
            return count == 1
        }
    }

    func leave() { count.withLock { $0 -= 1 } }
}
