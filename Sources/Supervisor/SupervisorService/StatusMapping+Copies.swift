// SPDX-License-Identifier: Apache-2.0
internal import RPC
internal import SupervisorCore

extension CopyFailure {
    var status: StatusCode {
        switch kind {
        case .pathNotFound: .notFound
        case .notADirectory, .badArchive: .invalidArgument
        case .readOnly: .permissionDenied
        case .conflict, .noRoot, .disturbed: .failedPrecondition
        case .changed: .aborted
        case .stalled: .deadlineExceeded
        case .tooMany: .resourceExhausted
        case .system: [12, 23, 24, 27, 28, 122].contains(errno) ? .resourceExhausted : .internal
        case .ended: .internal
        }
    }

    var line: String {
        switch kind {
        case .pathNotFound: "could not find the file \(path)"
        case .notADirectory: "\(path): not a directory"
        case .readOnly:
            message.isEmpty
                ? "\(path): the root or the mount there is read-only" : "\(path): read-only: \(message)"
        case .conflict, .badArchive, .changed, .system: message
        case .noRoot: "the container's files cannot be reached: \(message)"
        case .ended: "\(path): the copying process ended before it was done"
        case .stalled: "\(path): the copy made no progress for two minutes"
        case .disturbed: "\(path): the container was started or removed meanwhile"
        case .tooMany: "\(path): too many copies of this container at a time"
        }
    }

    var advice: String {
        switch kind {
        case .ended, .disturbed, .changed: "copy it again"
        default: ""
        }
    }

    /// The case, in snake case.
    var reason: String {
        switch kind {
        case .system: "copy_failed"
        case .pathNotFound: "path_not_found"
        case .notADirectory: "not_a_directory"
        case .readOnly: "read_only"
        case .conflict: "copy_conflict"
        case .badArchive: "bad_archive"
        case .noRoot: "root_unavailable"
        case .changed: "copy_changed"
        case .ended: "copy_ended"
        case .stalled: "copy_stalled"
        case .disturbed: "copy_disturbed"
        case .tooMany: "too_many_copies"
        }
    }
}
