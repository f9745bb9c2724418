// SPDX-License-Identifier: Apache-2.0
package import RPC
package import SupervisorCore
internal import Messages
internal import System

/// The core's errors as gRPC statuses, with the detail from which a client rebuilds its own.
extension RPCError {
    package init(_ error: SupervisorError) { self.init(error.status, error.line, detail: error.detail) }
}

extension SupervisorError {
    fileprivate var status: StatusCode {
        switch self {
        case .containerNotFound, .execNotFound: .notFound
        case .containerExists, .keyTaken: .alreadyExists
        case .notOwner: .permissionDenied
        case .notRunning, .isRunning, .isPaused, .isBeingRemoved, .resizeFailed, .updateFailed:
            .failedPrecondition
        case .pauseFailed: .internal
        case .invalidField, .seccomp: .invalidArgument
        case .startFailed(_, let failure): failure.status
        case .signalFailed(_, let errno):
            errno == ErrorNumber.noSuchProcess ? .failedPrecondition : .internal
        case .stopTimedOut: .deadlineExceeded
        case .keeperUnavailable: .unavailable
        case .copyFailed(_, let failure): failure.status
        case .eventsGone, .otherJournal: .outOfRange
        case .damagedState: .dataLoss
        case .system(let error): error.status
        }
    }

    fileprivate var line: String {
        switch self {
        case .containerNotFound(let id): "no container \(id)"
        case .execNotFound(let id): "no exec \(id)"
        case .containerExists(let id): "container \(id) exists and was asked for differently"
        case .keyTaken(let owner, let key, let other): "key \(key) of \(owner) is container \(other)'s"
        case .notOwner(let id): "container \(id) is another owner's"
        case .notRunning(let id): "container \(id) is not running"
        case .isRunning(let id): "container \(id) is running"
        case .isPaused(let id): "container \(id) is paused"
        case .pauseFailed(let id, let errno): "pause \(id): \(ErrorNumber.name(of: errno))"
        case .updateFailed(let id, let detail): "update \(id): \(detail)"
        case .isBeingRemoved(let id): "container \(id) is being removed"
        case .invalidField(let name, let reason): "\(name): \(reason)"
        case .startFailed(let id, let failure): "start \(id): \(failure)"
        case .signalFailed(let id, let errno): "signal \(id): \(ErrorNumber.name(of: errno))"
        case .resizeFailed(let id, let errno): "resize the terminal of \(id): \(ErrorNumber.name(of: errno))"
        case .stopTimedOut(let id): "container \(id) does not end"
        case .keeperUnavailable(let id, let detail): "keeper of \(id): \(detail)"
        case .copyFailed(_, let failure): failure.line
        case .eventsGone(let oldest): "the journal begins at \(oldest)"
        case .otherJournal(let id): "the journal is \(id)"
        case .damagedState(let path, let detail): "\(path): \(detail)"
        case .seccomp(let detail): "seccomp: \(detail)"
        case .system(let error): error.description
        }
    }

    fileprivate var detail: CommonV1.ErrorDetail {
        switch self {
        case .containerNotFound(let id): CommonV1.ErrorDetail(reason: "container_not_found", subject: id)
        case .execNotFound(let id): CommonV1.ErrorDetail(reason: "exec_not_found", subject: id)
        case .containerExists(let id): CommonV1.ErrorDetail(reason: "container_exists", subject: id.text)
        case .keyTaken(_, _, let other): CommonV1.ErrorDetail(reason: "key_taken", subject: other.text)
        case .notOwner(let id): CommonV1.ErrorDetail(reason: "not_owner", subject: id.text)
        case .notRunning(let id): CommonV1.ErrorDetail(reason: "not_running", subject: id.text)
        case .isRunning(let id):
            CommonV1.ErrorDetail(reason: "is_running", subject: id.text, advice: "stop it first")
        case .isPaused(let id):
            CommonV1.ErrorDetail(reason: "is_paused", subject: id.text, advice: "unpause it first")
        case .pauseFailed(let id, let errno):
            CommonV1.ErrorDetail(reason: "pause_failed", subject: id.text, errno: errno)
        case .updateFailed(let id, _): CommonV1.ErrorDetail(reason: "update_failed", subject: id.text)
        case .isBeingRemoved(let id): CommonV1.ErrorDetail(reason: "is_being_removed", subject: id.text)
        case .invalidField(let name, _): CommonV1.ErrorDetail(reason: "invalid_field", subject: name)
        case .startFailed(_, let failure): failure.detail
        case .signalFailed(let id, let errno):
            CommonV1.ErrorDetail(reason: "signal_failed", subject: id, errno: errno)
        case .resizeFailed(let id, let errno):
            CommonV1.ErrorDetail(reason: "resize_failed", subject: id, errno: errno)
        case .stopTimedOut(let id): CommonV1.ErrorDetail(reason: "stop_timed_out", subject: id.text)
        case .keeperUnavailable(let id, _):
            CommonV1.ErrorDetail(reason: "keeper_unavailable", subject: id.text)
        case .copyFailed(let id, let failure):
            CommonV1.ErrorDetail(
                reason: failure.reason,
                subject: id.text,
                path: failure.path,
                errno: failure.errno,
                advice: failure.advice
            )
        case .eventsGone(let oldest): CommonV1.ErrorDetail(reason: "events_gone", subject: String(oldest))
        case .otherJournal(let id): CommonV1.ErrorDetail(reason: "other_journal", subject: id)
        case .damagedState(let path, _): CommonV1.ErrorDetail(reason: "damaged_state", path: path)
        case .seccomp: CommonV1.ErrorDetail(reason: "seccomp")
        case .system(let error): CommonV1.ErrorDetail(reason: "system", path: error.path, errno: error.code)
        }
    }
}

extension StartFailure {
    fileprivate var status: StatusCode {
        switch reason {
        case .programNotFound: .notFound
        case .programNotExecutable: .permissionDenied
        case .other: .failedPrecondition
        }
    }

    /// The subject is the step.
    fileprivate var detail: CommonV1.ErrorDetail {
        CommonV1.ErrorDetail(reason: reasonText, subject: step, path: path, errno: errno)
    }

    private var reasonText: String {
        switch reason {
        case .programNotFound: "program_not_found"
        case .programNotExecutable: "program_not_executable"
        case .other: "start_failed"
        }
    }
}

extension SystemError {
    fileprivate var status: StatusCode {
        switch code {
        case 12, 23, 24, 28, 122: .resourceExhausted
        default: .internal
        }
    }
}
