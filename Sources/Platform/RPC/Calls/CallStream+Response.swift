// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import Synchronization

/// A client's call that has one response.
extension CallStream {
    /// Client: returns when there is no more to come of a call that has one response; cancelling the task ends the call.
    ///
    /// To be told of a cancellation takes a task a twentieth of the call, and most are answered soon. So it is only asked for
    /// when the call has waited until its connection's next look at such calls (`watchCancellation`).
    @inline(__always)
    func waitForResponse() async {
        if !Task.isCancelled {
            await withUnsafeContinuation { (waiter: WaitList.Waiter) in
                let waits = state.withLock { !$0.isOld && $0.awaitResponse(waiter) }
                if !waits { waiter.resume() }
            }
        }
        if !state.withLock({ $0.isResponseComplete }) { await waitLongForResponse() }
    }

    @inline(never)
    private func waitLongForResponse() async {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { (waiter: WaitList.Waiter) in
                let waits = state.withLock { state in
                    state.isOld = true
                    return state.awaitResponse(waiter)
                }
                if !waits { waiter.resume() }
            }
        } onCancel: {
            // Its end wakes the waiter.
            cancel()
        }
    }

    /// Client: the one response of a call that ended well, after that wait.
    func response() throws(RPCError) -> [UInt8] {
        let (message, ending) = state.withLock { state in
            (state.messages.count == 1 ? state.messages.first : nil, state.ending)
        }
        if case .failed(let error) = ending { throw error }
        guard ending != nil, let message else {
            let error = RPCError(.internal, "the server did not send one response")
            if end(.failed(error)) { mailbox.post(.cancel(self)) }
            throw error
        }
        return try payload(of: message)
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
