// SPDX-License-Identifier: Apache-2.0

/// Told of every call of a server, when its handler begins and when it is done; of one that ends before its request has come,
/// both at its end. Unlike an interceptor it can neither wait nor change what becomes of the call, which costs the call next to
/// nothing. It may be on the event loop.
package protocol CallObserver: Sendable {
    func began(_ context: CallContext)
    /// Before the client is told.
    func ended(_ context: CallContext, _ outcome: CallOutcome)
}

/// How a handler has ended, its interceptors counted, or a call that never had one.
package struct CallOutcome: Sendable {
    /// What the status is to be; nil: OK.
    package let failure: RPCError?
    /// Of the handler: zero where there was none.
    package let durationNanos: Int64
    /// The trace that the call belongs to.
    package let trace: TraceContext?
}
