// SPDX-License-Identifier: Apache-2.0

/// Sees every call of a server on its way to the handler and back, and may refuse it or change what becomes of it. One chain,
/// the first of a server's list outermost; who only looks is a `CallObserver`.
package protocol ServerInterceptor: Sendable {
    /// To be followed by `proceed` once, or by an error of its own instead.
    /// - Throws: What the handler throws, or what is to be the call's status in its place.
    func intercept(_ context: CallContext, _ proceed: @Sendable () async throws -> Void) async throws
}

extension RPCError {
    /// The status that an error of a handler becomes.
    init(endOf handlerError: any Error) {
        switch handlerError {
        // A handler that passes a success on as an error has failed all the same.
        case let error as RPCError where error.code != .ok: self = error
        case is CancellationError where Task.isCancelled: self.init(.cancelled, "the call was cancelled")
        default: self.init(.internal, "\(handlerError)")
        }
    }
}
