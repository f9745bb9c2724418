// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// How far one part of an operation is.
package struct Progress: Hashable, Sendable {
    package enum Status: String, Sendable {
        case waiting, downloading, unpacking, exists, complete, loading
    }

    /// A blob's digest, or what else is under way.
    package let id: String
    package let status: Status
    package let currentBytes: Int64
    /// Zero when it is not known.
    package let totalBytes: Int64
}

/// Where an operation notes its progress, and a watcher looks from time to time. Only the newest note of each part is
/// kept, so a slow watcher costs nothing.
package final class ProgressBoard: Sendable {
    private struct State {
        var notes: [String: Progress] = [:]
        var changed: [String] = []
    }

    private let state = Mutex(State())

    package init() {}

    package func note(
        _ id: String,
        _ status: Progress.Status,
        _ currentBytes: Int64 = 0,
        of totalBytes: Int64 = 0
    ) {
        let progress = Progress(id: id, status: status, currentBytes: currentBytes, totalBytes: totalBytes)
        state.withLock { state in
            if !state.changed.contains(id) { state.changed.append(id) }
            state.notes[id] = progress
        }
    }

    /// What changed since the last call, in the order of change.
    package func changes() -> [Progress] {
        state.withLock { state in
            defer { state.changed = [] }
            return state.changed.compactMap { state.notes[$0] }
        }
    }
}
