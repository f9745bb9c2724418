// SPDX-License-Identifier: Apache-2.0
internal import EngineCore
internal import Messages
internal import RPC
internal import System

/// What clients are told about an error: a status, one line, and the details to rebuild it from.
enum StatusMapping {
    /// Runs a handler with its caller's deadline; its errors become statuses.
    static func answering<Response>(
        _ context: CallContext,
        _ body: () async throws -> Response
    ) async throws -> Response {
        do {
            return try await CallDeadline.$current.withValue(context.deadline) { try await body() }
        } catch {
            throw status(of: error)
        }
    }

    static func status(of error: any Error) -> RPCError {
        switch error {
        case let error as RPCError: return error
        case let error as EngineError: return status(of: error)
        case let error as PeerError: return status(of: error)
        case let error as SystemError:
            let detail = CommonV1.ErrorDetail(reason: "system", path: error.path, errno: error.code)
            return RPCError(
                error.isExhaustion ? .resourceExhausted : .internal,
                error.description,
                detail: detail
            )
        case is CancellationError: return RPCError(.cancelled, "the call was cancelled")
        default: return RPCError(.internal, "\(error)")
        }
    }

    private static func status(of error: PeerError) -> RPCError {
        let detail = error.detail.map {
            CommonV1.ErrorDetail(
                reason: $0.reason,
                subject: $0.subject,
                path: $0.path,
                errno: $0.errorNumber,
                advice: $0.advice
            )
        }
        switch error.kind {
        case .unavailable, .deadlineExceeded:
            let text = "the \(error.daemon) does not answer: \(error.message)"
            let advice = CommonV1.ErrorDetail(
                reason: "peer_unavailable",
                subject: error.daemon,
                advice: "see 'petrel system status'"
            )
            // Not UNAVAILABLE in the first case too: that is what a client sees when the engine itself is away.
            return RPCError(.deadlineExceeded, text, detail: detail ?? advice)
        default: return RPCError(error.kind.code, error.message, detail: detail)
        }
    }

    private static func status(of error: EngineError) -> RPCError {
        let told = error.told
        return RPCError(
            told.code,
            told.text,
            detail: CommonV1.ErrorDetail(
                reason: told.reason,
                subject: told.subject,
                path: told.path,
                errno: told.errorNumber,
                advice: told.advice
            )
        )
    }
}

/// One error as a client reads it.
struct ToldError {
    var code: StatusCode
    /// The case, in snake case.
    var reason: String
    var subject: String
    var text: String
    var advice = ""
    var path = ""
    var errorNumber: Int32 = 0

    init(_ code: StatusCode, _ reason: String, _ subject: String, _ text: String, advice: String = "") {
        self.code = code
        self.reason = reason
        self.subject = subject
        self.text = text
        self.advice = advice
    }
}

extension SystemError {
    /// Disk or descriptors are spent.
    var isExhaustion: Bool { ["ENOSPC", "EDQUOT", "EMFILE", "ENFILE", "ENOMEM"].contains(name) }
}
