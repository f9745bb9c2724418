// SPDX-License-Identifier: Apache-2.0
internal import EngineCore
internal import Messages
internal import RPC

/// How calls to the engine's peers are made and what becomes of their errors.
struct PeerCalls: Sendable {
    private static let pause = Duration.milliseconds(50)

    /// For messages: "supervisor", "image store".
    let daemon: String

    /// A call that may be repeated: it is, when the peer goes away in its midst, for as long as the caller waits.
    func repeating<Response>(
        _ options: CallOptions = CallDeadline.options,
        _ call: (CallOptions) async throws(RPCError) -> Response
    ) async throws(PeerError) -> Response {
        let end = options.timeout.flatMap { Deadline.after($0) }
        var options = options
        while true {
            do throws(RPCError) { return try await call(options) } catch {
                let isOver = end.map { $0.remaining <= PeerCalls.pause } ?? false
                guard error.code == .unavailable, !isOver, !Task.isCancelled else { throw peerError(error) }
            }
            try? await Task.sleep(for: PeerCalls.pause)
            options.timeout = end?.remaining
        }
    }

    /// A call that is made once.
    func once<Response>(
        _ options: CallOptions = CallDeadline.options,
        _ call: (CallOptions) async throws(RPCError) -> Response
    ) async throws(PeerError) -> Response {
        do throws(RPCError) { return try await call(options) } catch { throw peerError(error) }
    }

    func peerError(_ error: RPCError) -> PeerError {
        let detail = error.detail.map {
            PeerError.Detail(
                reason: $0.reason,
                subject: $0.subject,
                path: $0.path,
                errorNumber: $0.errno,
                advice: $0.advice
            )
        }
        return PeerError(
            daemon: daemon,
            kind: PeerError.Kind(error.code),
            message: error.message.isEmpty ? error.code.description : error.message,
            detail: detail
        )
    }
}

extension PeerError.Kind {
    init(_ code: StatusCode) {
        switch code {
        case .invalidArgument: self = .invalidArgument
        case .notFound: self = .notFound
        case .alreadyExists: self = .alreadyExists
        case .failedPrecondition, .aborted: self = .failedPrecondition
        case .outOfRange: self = .outOfRange
        case .resourceExhausted: self = .resourceExhausted
        case .permissionDenied, .unauthenticated: self = .permissionDenied
        case .dataLoss: self = .dataLoss
        case .unimplemented: self = .unimplemented
        case .unavailable: self = .unavailable
        case .deadlineExceeded: self = .deadlineExceeded
        case .cancelled: self = .cancelled
        case .ok, .unknown, .internal: self = .internal
        }
    }

    var code: StatusCode {
        switch self {
        case .invalidArgument: .invalidArgument
        case .notFound: .notFound
        case .alreadyExists: .alreadyExists
        case .failedPrecondition: .failedPrecondition
        case .outOfRange: .outOfRange
        case .resourceExhausted: .resourceExhausted
        case .permissionDenied: .permissionDenied
        case .dataLoss: .dataLoss
        case .unimplemented: .unimplemented
        case .unavailable: .unavailable
        case .deadlineExceeded: .deadlineExceeded
        case .cancelled: .cancelled
        case .internal: .internal
        }
    }
}
