// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import Logs
internal import System

/// Notices new output in a spool folder.
final class OutputWatch: Sendable {
    private let watch: DirectoryWatch
    private let pollable: SharedDescriptor

    /// Nil when the folder is not there yet, or there are too many watches: the caller then looks from time to time.
    init?(_ directory: SpoolDirectory) {
        guard let watch = try? DirectoryWatch(of: directory.path) else { return nil }
        let lent = Descriptor(adopting: watch.raw)
        let copy = try? lent.duplicate()
        _ = lent.relinquish()
        guard let copy else { return nil }
        self.watch = watch
        pollable = SharedDescriptor(copy)
    }

    /// To be called before looking.
    func drain() { watch.drain() }

    func wait(_ poller: Poller) async throws { try await poller.readable(pollable) }
}

/// Runs all at the same time until the first one ends or fails; the others are cancelled.
/// - Throws: `CancellationError` when the caller was cancelled; the first one's error otherwise.
func firstOf(_ works: [@Sendable () async throws -> Void]) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        for work in works { group.addTask { try await work() } }
        defer { group.cancelAll() }
        _ = try await group.next()
    }
    try Task.checkCancellation()
}
