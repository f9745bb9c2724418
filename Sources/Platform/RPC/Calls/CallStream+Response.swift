// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import Synchronization

/// A client's call that has one response.
extension CallStream {
    /// Client: the one response of a call that ends well; cancelling the task ends the call.
    ///
    /// To be told of a cancellation takes a task a twentieth of the call, and most are answered soon. So it is only asked for
    /// when the call is so old that its connection has seen it twice (`watchCancellation`).
    @inline(__always)
    func awaitResponse() async throws(RPCError) -> [UInt8] {
        if !Task.isCancelled {
            // The function that all others use asks on which executor it is before it begins, though it has not left it since the
            // caller was asked: under a lock, which is a fiftieth of a call.
            await _unsafeInheritExecutor_withUnsafeContinuation { (waiter: WaitList.Waiter) in
                let waits = state.withLock { $0.age != .old && $0.awaitResponse(waiter) }
                if !waits { waiter.resume() }
            }
        }
        if let response = try response() { return response }
        return try await awaitResponseLong()
    }

    @inline(never)
    private func awaitResponseLong() async throws(RPCError) -> [UInt8] {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { (waiter: WaitList.Waiter) in
                let waits = state.withLock { state in
                    state.age = .old
                    return state.awaitResponse(waiter)
                }
                if !waits { waiter.resume() }
            }
        } onCancel: {
            // Its end wakes the waiter.
            cancel()
        }
        guard let response = try response() else { preconditionFailure("a response was not waited for") }
        return response
    }

    /// - Returns: nil when it is still to be waited for.
    private func response() throws(RPCError) -> [UInt8]? {
        let (isComplete, message, ending) = state.withLock { state in
            (state.isResponseComplete, state.messages.count == 1 ? state.messages.first : nil, state.ending)
        }
        if case .failed(let error) = ending { throw error }
        if ending != nil, let message { return try payload(of: message) }
        guard isComplete else { return nil }
        let error = RPCError(.internal, "the server did not send one response")
        if end(.failed(error)) { mailbox.post(.cancel(self)) }
        throw error
    }
}

extension CallStream.State {
    /// - Returns: Who reads and is to look again.
    mutating func wakeReaders() -> WaitList.Waiters? {
        guard readers.hasWaiters, !awaitsResponse || isResponseComplete else { return nil }
        return readers.takeAll()
    }

    /// More than one response need not wait for the end, which may never come.
    var isResponseComplete: Bool { ending != nil || messages.count > 1 }

    /// - Returns: Whether the waiter has to wait; if not, the caller resumes it.
    mutating func awaitResponse(_ waiter: WaitList.Waiter) -> Bool {
        guard !isResponseComplete else { return false }
        awaitsResponse = true
        return readers.add(waiter, readers.ticket())
    }
}
