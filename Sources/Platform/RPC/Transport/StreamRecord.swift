// SPDX-License-Identifier: Apache-2.0
internal import NIOCore

/// What a connection keeps about one open stream; used on its event loop only.
final class StreamRecord {
    let call: CallStream
    var deframer: Deframer
    /// The header list that is arriving.
    var headers = ReceivedHeaders()
    /// Of all its header lists.
    var headerBytes = 0
    /// The answer's headers were sent (server) or have arrived (client).
    var isOpened = false
    /// The peer sends no more.
    var isRemoteClosed = false
    /// Server: the status was handed to nghttp2.
    var isFinished = false
    /// Fires at the deadline.
    var timer: Scheduled<Void>?
    /// Server: the handler.
    var task: Task<Void, Never>?
    /// Server: the request's headers were taken.
    var hasBegun = false

    /// Server: starts the handler, once what arrived with the request is read.
    var start: (() -> Void)?
    /// When the call is over, whatever has become of it.
    var deadline: Deadline?

    init(_ call: CallStream, deadline: Deadline? = nil) {
        self.call = call
        self.deadline = deadline
        deframer = Deframer(limit: call.messageLimit)
    }
}
