// SPDX-License-Identifier: Apache-2.0
internal import EngineCore
internal import RPC
internal import System

extension EngineError {
    /// Every case's status, details and text.
    var told: ToldError {
        switch self {
        case .containerNotFound, .ambiguousPrefix, .invalidName, .nameTaken, .notRunning, .stillRunning,
            .beingRemoved, .startFailed:
            containerError
        case .paused, .alreadyPaused, .notPaused, .updateFailed: pauseError
        case .execNotFound, .execFailed, .streamLost, .outputUnreadable, .outputNotKept, .badPosition:
            processError
        case .imageNotFound, .platformMismatch, .imageInUse, .badImage, .noCommand: imageError
        case .invalidSignal, .invalidField, .networkNotFound, .bindSourceAbsent, .badFilter, .eventsGone,
            .pathNotFound:
            requestError
        case .newerSchema, .database, .file, .diskFull: storageError
        }
    }

    private var containerError: ToldError {
        switch self {
        case .ambiguousPrefix(let prefix, let candidates):
            ToldError(
                .invalidArgument,
                "ambiguous_prefix",
                prefix,
                "the id prefix \"\(prefix)\" fits several containers: \(candidates.joined(separator: ", "))",
                advice: "give more digits, or the name"
            )
        case .invalidName(let name):
            ToldError(
                .invalidArgument,
                "invalid_name",
                name,
                "invalid container name \"\(name)\": it must match [a-zA-Z0-9][a-zA-Z0-9_.-]*"
            )
        case .nameTaken(let name, let holder):
            ToldError(
                .alreadyExists,
                "name_taken",
                holder.text,
                "conflict: name \"\(name)\" is in use by container \(holder.short)",
                advice: "remove that container with 'petrel rm', or use another name"
            )
        case .notRunning(let id, let name):
            ToldError(
                .failedPrecondition,
                "not_running",
                id.text,
                "container \(name) (\(id.short)) is not running",
                advice: "start it with 'petrel start \(name)'"
            )
        case .stillRunning(let id, let name):
            ToldError(
                .failedPrecondition,
                "still_running",
                id.text,
                "cannot remove container \(name) (\(id.short)): it is running",
                advice: "stop it with 'petrel stop \(name)', or use 'petrel rm -f'"
            )
        case .beingRemoved(let id):
            ToldError(.failedPrecondition, "being_removed", id.text, "container \(id.short) is being removed")
        case .startFailed(let id, let code, let reason):
            ToldError(
                .failedPrecondition,
                EngineError.programReason("start_failed", code),
                id.text,
                "failed to start container \(id.short): \(EngineError.told(reason))",
                advice: reason.hasPrefix("join ")
                    ? "start that container first" : EngineError.programAdvice(code)
            )
        case .containerNotFound(let reference): fallbackNotFound("container", reference)
        default: fallback
        }
    }

    private var pauseError: ToldError {
        switch self {
        case .paused(let id, let name):
            ToldError(
                .failedPrecondition,
                "is_paused",
                id.text,
                "container \(name) (\(id.short)) is paused",
                advice: "let it go on with 'petrel unpause \(name)'"
            )
        case .alreadyPaused(let id, let name):
            ToldError(
                .failedPrecondition,
                "already_paused",
                id.text,
                "container \(name) (\(id.short)) is already paused"
            )
        case .notPaused(let id, let name):
            ToldError(
                .failedPrecondition,
                "not_paused",
                id.text,
                "container \(name) (\(id.short)) is not paused"
            )
        case .updateFailed(let id, let name, let reason):
            ToldError(
                .failedPrecondition,
                "update_failed",
                id.text,
                "cannot update container \(name) (\(id.short)): \(reason)"
            )
        default: fallback
        }
    }

    private var processError: ToldError {
        switch self {
        case .execNotFound(let id):
            ToldError(.notFound, "exec_not_found", id, "no such exec: \(id)")
        case .execFailed(let id, let code, let reason):
            ToldError(
                .failedPrecondition,
                EngineError.programReason("exec_failed", code),
                id.text,
                "failed to execute: \(reason)",
                advice: EngineError.execAdvice(code, reason)
            )
        case .streamLost(let path, let error):
            ToldError(.internal, "stream_lost", path, "the rest of the output could not be read: \(error)")
        case .outputUnreadable(let id, let text):
            ToldError(
                .internal,
                "output_unreadable",
                id.text,
                "the output of \(id.short) cannot be read: \(text)"
            )
        case .outputNotKept(let id, let driver):
            ToldError(
                .failedPrecondition,
                "output_not_kept",
                id.text,
                "configured logging driver does not support reading: \(driver)",
                advice: "create the container with --log-driver local"
            )
        case .badPosition(let text):
            ToldError(
                .invalidArgument,
                "bad_position",
                text,
                "\"\(text)\" is no position in the output",
                advice: "use one that an earlier answer carried"
            )
        default: fallback
        }
    }

    private var imageError: ToldError {
        switch self {
        case .imageNotFound(let reference):
            ToldError(
                .notFound,
                "image_not_found",
                reference,
                "no such image: \(reference)",
                advice: "get it with 'petrel pull \(reference)' or 'petrel load'"
            )
        case .platformMismatch(let reference, let wanted, let actual):
            ToldError(
                .notFound,
                "platform_mismatch",
                reference,
                "image \(reference) was found but does not match the specified platform: wanted \(wanted), actual: \(actual)",
                advice: "'petrel pull --platform \(wanted) \(reference)' gets that one"
            )
        case .imageInUse(let reference, let id, let name, isRunning: true):
            ToldError(
                .failedPrecondition,
                "image_in_use",
                reference,
                "conflict: image \(reference) is used by running container \(name) (\(id.short))",
                advice: "stop and remove that container first"
            )
        case .imageInUse(let reference, let id, let name, isRunning: false):
            ToldError(
                .failedPrecondition,
                "image_in_use",
                reference,
                "conflict: image \(reference) is used by container \(name) (\(id.short))",
                advice: "remove that container first, or use -f"
            )
        case .badImage(let reference, let text):
            ToldError(
                .failedPrecondition,
                "bad_image",
                reference,
                "image \(reference) cannot be used: \(text)"
            )
        case .noCommand(let image):
            ToldError(
                .invalidArgument,
                "no_command",
                image,
                "no command specified: image \(image) has neither entrypoint nor command",
                advice: "name the program to run after the image"
            )
        default: fallback
        }
    }

    private var requestError: ToldError {
        switch self {
        case .pathNotFound(let path, let container):
            ToldError(
                .notFound,
                "path_not_found",
                path,
                "could not find the file \(path) in container \(container)"
            )
        case .invalidSignal(let text):
            ToldError(
                .invalidArgument,
                "invalid_signal",
                text,
                "invalid signal: \(text)",
                advice: "see signal(7)"
            )
        case .invalidField(let field, let text, let advice):
            ToldError(.invalidArgument, "invalid_field", field, text, advice: advice)
        case .networkNotFound(let name):
            ToldError(
                .notFound,
                "network_not_found",
                name,
                "no such network: \(name)",
                advice: "networks of one's own are not supported yet: use none, host or container:<name|id>"
            )
        case .bindSourceAbsent(let path):
            ToldError(
                .invalidArgument,
                "bind_source_absent",
                path,
                "bind source path does not exist: \(path)",
                advice: "make it first"
            )
        case .badFilter(let text, let advice):
            ToldError(.invalidArgument, "bad_filter", text, "invalid filter \"\(text)\"", advice: advice)
        case .eventsGone(let after, let oldest):
            ToldError(
                .outOfRange,
                "events_gone",
                String(after),
                "the events after \(after) are no longer kept: the oldest is \(oldest)"
            )
        default: fallback
        }
    }

    private var storageError: ToldError {
        switch self {
        case .newerSchema(let found, let known):
            ToldError(
                .failedPrecondition,
                "newer_schema",
                String(found),
                "the database has schema \(found), this release knows \(known)",
                advice: "use the newer release"
            )
        case .database(let text): ToldError(.internal, "database", "", "database: \(text)")
        case .diskFull(let text):
            ToldError(
                .resourceExhausted,
                "disk_full",
                "",
                "the disk of the engine's database is full: \(text)",
                advice: "remove containers or images that are not needed"
            )
        case .file(let error): fileError(error)
        default: fallback
        }
    }

    private func fileError(_ error: SystemError) -> ToldError {
        let code: StatusCode = error.isExhaustion ? .resourceExhausted : .internal
        var told = ToldError(code, "file", error.path, error.description)
        told.path = error.path
        told.errorNumber = error.code
        return told
    }

    private func fallbackNotFound(_ kind: String, _ reference: String) -> ToldError {
        ToldError(
            .notFound,
            "\(kind)_not_found",
            reference,
            "no such \(kind): \(reference)",
            advice: "see 'petrel ps -a'"
        )
    }

    private var fallback: ToldError { ToldError(.internal, "internal", "", "\(self)") }

    /// `join pid namespace of container …: ESRCH` in plain words.
    private static func told(_ reason: String) -> String {
        guard reason.hasPrefix("join "), reason.hasSuffix(": ESRCH") else { return reason }
        return "cannot " + reason.dropLast(": ESRCH".count) + ": it is not running"
    }

    private static func programReason(_ operation: String, _ code: UInt32) -> String {
        switch code {
        case 127: operation + "_not_found"
        case 126: operation + "_not_executable"
        default: operation
        }
    }

    /// By the step that the reason begins with: it may not have come to the program.
    private static func execAdvice(_ code: UInt32, _ reason: String) -> String {
        switch reason.prefix(while: { $0 != " " && $0 != ":" }) {
        case "cwd": "make that directory first, or use another one"
        case "user": "use a user and groups that the container knows, or numbers"
        case "execve", "exec": programAdvice(code)
        default: ""
        }
    }

    private static func programAdvice(_ code: UInt32) -> String {
        switch code {
        case 127: "check that the program is in the image, and its interpreter too"
        case 126: "check that the file is a program and may be executed"
        default: ""
        }
    }
}
