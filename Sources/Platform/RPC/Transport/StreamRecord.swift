// SPDX-License-Identifier: Apache-2.0
internal import Events

/// What a connection keeps about one open stream; used on its event loop only.
final class StreamRecord {
    let call: CallStream
    /// The stream's number; the table sets it.
    var id: Int32 = 0
    var deframer: Deframer
    /// Of all its header lists.
    var headerBytes = 0
    /// A header list has come.
    var hasHeaders = false
    /// What `content-length` announces and has not come, in bytes; nil when it says nothing.
    var missingBytes: Int?
    /// The peer does not keep to HTTP/2: the stream was reset.
    var isMalformed = false
    /// The answer's headers were sent (server) or have arrived (client).
    var isOpened = false
    /// The peer sends no more.
    var isRemoteClosed = false
    /// Server: the status was handed to nghttp2.
    var isFinished = false
    /// Fires at the deadline.
    var timer: Timer?
    /// Server: the handler.
    var task: Task<Void, Never>?
    /// Server: the request's headers were taken.
    var hasBegun = false

    /// Server: whose handler is to be started, once what arrived with the request is read.
    var beginning: (method: Dispatcher.Method, context: CallContext)?
    /// When the call is over, whatever has become of it.
    var deadline: Deadline?

    init(_ call: CallStream, deadline: Deadline? = nil) {
        self.call = call
        self.deadline = deadline
        deframer = Deframer(limit: call.messageLimit)
    }
}
