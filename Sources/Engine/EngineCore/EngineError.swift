// SPDX-License-Identifier: Apache-2.0
package import System

/// Everything that the engine refuses or fails at, with the values that say why.
package enum EngineError: Error, Hashable, Sendable {
    /// No container, or removed one, has this name or id.
    case containerNotFound(String)
    /// The id prefix fits more than one container.
    case ambiguousPrefix(String, candidates: [String])
    case invalidName(String)
    case nameTaken(String, holder: ContainerID)
    case invalidSignal(String)
    /// A field of a request breaks a rule: which, why, and what to do.
    case invalidField(String, String, advice: String = "")
    case networkNotFound(String)
    case noCommand(image: String)
    case bindSourceAbsent(String)
    case imageNotFound(String)
    /// The image is for another platform than was asked for.
    case platformMismatch(String, wanted: String, actual: String)
    /// The container's log driver keeps nothing that could be read.
    case outputNotKept(ContainerID, driver: String)
    case imageInUse(String, container: ContainerID, name: String, isRunning: Bool)
    /// The image's configuration could not be understood.
    case badImage(String, String)
    /// Nothing is at this path of the container.
    case pathNotFound(String, container: String)
    case notRunning(ContainerID, name: String)
    case stillRunning(ContainerID, name: String)
    case paused(ContainerID, name: String)
    case alreadyPaused(ContainerID, name: String)
    case notPaused(ContainerID, name: String)
    /// The kernel refused the new limits.
    case updateFailed(ContainerID, name: String, reason: String)
    case beingRemoved(ContainerID)
    /// The program was not executed: exit code 125, 126 or 127 and the runtime's reason.
    case startFailed(ContainerID, code: UInt32, reason: String)
    case execNotFound(String)
    /// The same of an exec: exit code 127 where its program was not found, else 126.
    case execFailed(ContainerID, code: UInt32, reason: String)
    /// The exec's output stream could not be reached again in time.
    case streamLost(String, SystemError)
    case outputUnreadable(ContainerID, String)
    case badPosition(String)
    /// The asked-for event is older than what is kept.
    case eventsGone(after: UInt64, oldest: UInt64)
    case badFilter(String, String)
    /// The database was written by a newer release.
    case newerSchema(found: Int, known: Int)
    case database(String)
    /// There is no room for the database to grow, even with the reserve given back.
    case diskFull(String)
    case file(SystemError)
}

/// What another daemon answered, or that it did not.
package struct PeerError: Error, Hashable, Sendable {
    /// What went wrong, as far as the engine tells cases apart.
    package enum Kind: Hashable, Sendable {
        case invalidArgument, notFound, alreadyExists, failedPrecondition, outOfRange, resourceExhausted
        case permissionDenied, dataLoss, unimplemented, unavailable, deadlineExceeded, cancelled, `internal`
    }

    /// The peer's typed error, where it sent one.
    package struct Detail: Hashable, Sendable {
        package var reason: String
        package var subject: String
        package var path: String
        package var errorNumber: Int32
        package var advice: String

        package init(reason: String, subject: String, path: String, errorNumber: Int32, advice: String) {
            self.reason = reason
            self.subject = subject
            self.path = path
            self.errorNumber = errorNumber
            self.advice = advice
        }
    }

    /// "supervisor" or "image store".
    package let daemon: String
    package let kind: Kind
    package let message: String
    package let detail: Detail?

    package init(daemon: String, kind: Kind, message: String, detail: Detail? = nil) {
        self.daemon = daemon
        self.kind = kind
        self.message = message
        self.detail = detail
    }

    /// The supervisor knows the container, and that it is on its way out or gone.
    var isOfRemoval: Bool { detail?.reason == "is_being_removed" }

    /// The image was looked up before, and its name means another one now, or none.
    var isOfImageName: Bool { ["image_moved", "image_not_found"].contains(detail?.reason) }

    /// The exit code and reason where what failed was the execution of a program: 127 when it is not there, 126 when it
    /// cannot be executed, 125 when it did not come to that.
    package var programFailure: (code: UInt32, reason: String)? {
        switch detail?.reason {
        case "program_not_found": (127, failedStep)
        case "program_not_executable": (126, failedStep)
        case "start_failed": (125, failedStep)
        default: nil
        }
    }

    /// `execve /bin/nothing: ENOENT`; the peer's own words where it has not said the step.
    private var failedStep: String {
        guard let detail, !detail.subject.isEmpty else { return message }
        let place = detail.path.isEmpty ? detail.subject : "\(detail.subject) \(detail.path)"
        return detail.errorNumber == 0 ? message : SystemError(place, code: detail.errorNumber).description
    }
}
