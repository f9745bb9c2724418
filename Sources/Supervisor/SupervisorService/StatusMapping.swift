// SPDX-License-Identifier: Apache-2.0
package import RPC
package import SupervisorCore
internal import Messages
internal import System

/// The core's errors as gRPC statuses, with the detail from which a client rebuilds its own.
extension RPCError {
    package init(_ error: SupervisorError) {
        switch error {
        case .containerNotFound(let id):
            self.init(.notFound, "no container \(id)", "container_not_found", id)
        case .execNotFound(let id):
            self.init(.notFound, "no exec \(id)", "exec_not_found", id)
        case .containerExists(let id):
            self.init(
                .alreadyExists,
                "container \(id) exists and was asked for differently",
                "container_exists",
                id.text
            )
        case .keyTaken(let owner, let key, let other):
            self.init(
                .alreadyExists,
                "key \(key) of \(owner) is container \(other)'s",
                "key_taken",
                other.text
            )
        case .notOwner(let id):
            self.init(.permissionDenied, "container \(id) is another owner's", "not_owner", id.text)
        case .notRunning(let id):
            self.init(.failedPrecondition, "container \(id) is not running", "not_running", id.text)
        case .isRunning(let id):
            self.init(
                .failedPrecondition,
                "container \(id) is running",
                "is_running",
                id.text,
                advice: "stop it first"
            )
        case .isBeingRemoved(let id):
            self.init(.failedPrecondition, "container \(id) is being removed", "is_being_removed", id.text)
        case .invalidField(let name, let reason):
            self.init(.invalidArgument, "\(name): \(reason)", "invalid_field", name)
        case .startFailed(let id, let failure):
            self.init(
                failure.status,
                "start \(id): \(failure)",
                failure.reasonText,
                failure.step,
                failure.path,
                failure.errno
            )
        case .signalFailed(let id, let errno):
            let status: StatusCode = errno == ErrorNumber.noSuchProcess ? .failedPrecondition : .internal
            self.init(status, "signal \(id): \(ErrorNumber.name(of: errno))", "signal_failed", id, "", errno)
        case .resizeFailed(let id, let errno):
            self.init(
                .failedPrecondition,
                "resize the terminal of \(id): \(ErrorNumber.name(of: errno))",
                "resize_failed",
                id,
                "",
                errno
            )
        case .stopTimedOut(let id):
            self.init(.deadlineExceeded, "container \(id) does not end", "stop_timed_out", id.text)
        case .keeperUnavailable(let id, let detail):
            self.init(.unavailable, "keeper of \(id): \(detail)", "keeper_unavailable", id.text)
        case .eventsGone(let oldest):
            self.init(.outOfRange, "the journal begins at \(oldest)", "events_gone", String(oldest))
        case .otherJournal(let id):
            self.init(.outOfRange, "the journal is \(id)", "other_journal", id)
        case .damagedState(let path, let detail):
            self.init(.dataLoss, "\(path): \(detail)", "damaged_state", "", path)
        case .seccomp(let detail):
            self.init(.invalidArgument, "seccomp: \(detail)", "seccomp", "")
        case .system(let error):
            self.init(error.status, error.description, "system", "", error.path, error.code)
        }
    }

    private init(
        _ code: StatusCode,
        _ message: String,
        _ reason: String,
        _ subject: String,
        _ path: String = "",
        _ errno: Int32 = 0,
        advice: String = ""
    ) {
        let detail = CommonV1.ErrorDetail(
            reason: reason,
            subject: subject,
            path: path,
            errno: errno,
            advice: advice
        )
        self.init(code, message, detail: detail)
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

    fileprivate var reasonText: String {
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
