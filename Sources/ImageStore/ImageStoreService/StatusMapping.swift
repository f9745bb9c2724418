// SPDX-License-Identifier: Apache-2.0
package import ImageStoreCore
internal import Messages
package import RPC
internal import Registry
internal import System
internal import Tar

/// The core's errors as gRPC statuses, with the detail from which a client rebuilds its own.
extension RPCError {
    package init(_ error: ImageStoreError) {
        switch error {
        case .imageNotFound(let text):
            self.init(.notFound, "no such image: \(text)", "image_not_found", text, "pull or load it first")
        case .ambiguousID(let text, let candidates):
            let line = "the id prefix \"\(text)\" fits several images: \(candidates.joined(separator: ", "))"
            self.init(.invalidArgument, line, "ambiguous_id", text, "give more digits, or a name")
        case .imageInUse(let text, let users): self = .imageInUse(text, users)
        case .imageHasSeveralNames(let text, let names): self = .imageHasSeveralNames(text, names)
        case .invalid(let error): self.init(.invalidArgument, "\(error)", "invalid_reference", "", "")
        case .imageMoved(let reference):
            self.init(.failedPrecondition, "\(reference) is another image now", "image_moved", reference, "")
        case .snapshotNotFound(let key):
            self.init(.notFound, "no snapshot \(key)", "snapshot_not_found", "\(key)", "")
        case .snapshotConflict(let key, let image):
            let line = "snapshot \(key) is of image \(image)"
            self.init(.alreadyExists, line, "snapshot_conflict", "\(key)", "")
        case .invalidSnapshotKey(let key):
            let line = "a snapshot's owner and key have 1 to 255 printable bytes"
            self.init(.invalidArgument, line, "invalid_snapshot_key", "\(key)", "")
        case .corrupt(let subject, let reason):
            let advice = "try again, or get it elsewhere"
            self.init(.dataLoss, "\(subject): \(reason)", "content_corrupt", subject, advice)
        case .malformed(let subject, let error):
            self.init(.invalidArgument, "\(subject): \(error)", "content_malformed", subject, "")
        case .notAnArchive(let reason): self = .notAnArchive(reason)
        case .layer(let subject, let error): self.init(subject: subject, error)
        case .noSuchPlatform(let reference, let platform, let available):
            let list = available.isEmpty ? "" : "; there is \(available.joined(separator: ", "))"
            let line = "\(reference): nothing for \(platform)\(list)"
            self.init(.notFound, line, "no_such_platform", reference, "")
        case .diskFull(let subject, let path): self = .diskFull(subject, path)
        case .registry(let error): self.init(registry: error)
        case .system(let error):
            let code: StatusCode = error.code == 24 || error.code == 23 ? .resourceExhausted : .internal
            self.init(code, "\(error)", "system", "", error.path, error.code, "")
        case .catalog(let reason):
            self.init(.internal, "the image store's catalogue: \(reason)", "catalogue", "", "")
        case .newerCatalog(let path): self = .newerCatalog(path)
        case .eventsGone(let present):
            let line = "events of images after the place asked for are no longer kept"
            self.init(.outOfRange, line, "events_gone", "\(present.journal):\(present.sequence)", "")
        case .cancelled: self.init(.cancelled, "cancelled", "cancelled", "", "")
        }
    }

    private static func imageInUse(_ image: String, _ users: [String]) -> RPCError {
        RPCError(
            .failedPrecondition,
            "image \(image) is in use by \(users.joined(separator: ", "))",
            "image_in_use",
            image,
            "remove the containers first, or force it"
        )
    }

    private static func imageHasSeveralNames(_ image: String, _ names: [String]) -> RPCError {
        RPCError(
            .failedPrecondition,
            "image \(image) has names in several repositories: \(names.joined(separator: ", "))",
            "image_has_several_names",
            image,
            "remove them by name, or force it"
        )
    }

    private static func notAnArchive(_ reason: String) -> RPCError {
        RPCError(
            .invalidArgument,
            "not an image archive: \(reason)",
            "not_an_archive",
            "",
            "give what `docker save`, or an OCI tool, has written"
        )
    }

    private static func diskFull(_ subject: String, _ path: String) -> RPCError {
        RPCError(
            .resourceExhausted,
            "\(subject): no space left on the disk that holds \(path)",
            "disk_full",
            subject,
            path,
            28,
            "remove images or containers, or give the disk more room"
        )
    }

    private static func newerCatalog(_ path: String) -> RPCError {
        RPCError(
            .failedPrecondition,
            "\(path) was written by a newer release",
            "newer_catalogue",
            "",
            path,
            0,
            "start that release, or put back the copy made before"
        )
    }

    /// A layer or an archive that is broken is damage where it was promised whole, and a bad argument where it is
    /// hostile.
    private init(subject: String, _ error: ArchiveError) {
        let text = "\(subject): \(error)"
        switch error {
        case .tar, .compression, .truncated:
            self.init(.dataLoss, text, "content_corrupt", subject, "try again, or get it elsewhere")
        case .refused: self.init(.invalidArgument, text, "layer_refused", subject, "")
        case .limit: self.init(.resourceExhausted, text, "limit_exceeded", subject, "")
        case .system(_, let error): self.init(.internal, text, "system", subject, error.path, error.code, "")
        case .source, .sink, .changed: self.init(.internal, text, "source", subject, "")
        case .cancelled: self.init(.cancelled, text, "cancelled", subject, "")
        }
    }

    /// Never `UNAVAILABLE`: that says that this daemon is away, and clients wait for it to come back.
    private init(registry error: RegistryError) {
        let text = "\(error)"
        switch error {
        case .notFound(let reference, _):
            self.init(.notFound, text, "image_not_found", reference, "look at the spelling of name and tag")
        case .unauthorized(let reference, _, _):
            self.init(
                .unauthenticated,
                text,
                "unauthorized",
                reference,
                "look at the spelling, or log in to the registry"
            )
        case .unreachable(let registry, _):
            self.init(
                .failedPrecondition,
                text,
                "registry_unreachable",
                registry,
                "look at the host's name and the network"
            )
        case .tooManyRequests(let registry):
            self.init(.resourceExhausted, text, "too_many_requests", registry, "try again later")
        case .unexpectedStatus(let registry, _, _, _):
            self.init(.failedPrecondition, text, "registry_failed", registry, "try again later")
        case .malformed(let registry, _):
            self.init(.failedPrecondition, text, "registry_malformed", registry, "")
        case .wrongSize(let digest, _, _): self.init(.dataLoss, text, "content_corrupt", digest, "")
        case .interrupted(let digest, _, _):
            self.init(
                .aborted,
                text,
                "download_interrupted",
                digest,
                "try again: what is there is not fetched twice"
            )
        case .cancelled: self.init(.cancelled, text, "cancelled", "", "")
        }
    }

    private init(_ code: StatusCode, _ message: String, _ reason: String, _ subject: String, _ advice: String)
    {
        self.init(code, message, reason, subject, "", 0, advice)
    }

    private init(
        _ code: StatusCode,
        _ message: String,
        _ reason: String,
        _ subject: String,
        _ path: String,
        _ errno: Int32,
        _ advice: String
    ) {
        let line = message.map { $0.isNewline ? " " : $0 }
        let detail = CommonV1.ErrorDetail(
            reason: reason,
            subject: subject,
            path: path,
            errno: errno,
            advice: advice
        )
        self.init(code, String(line), detail: detail)
    }
}
