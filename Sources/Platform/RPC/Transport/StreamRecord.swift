// SPDX-License-Identifier: Apache-2.0
internal import NIOCore

/// What a connection keeps about one open stream; used on its event loop only.
final class StreamRecord {
    var call: CallStream
    var deframer = Deframer()
    /// The header list that is arriving.
    var headers = ReceivedHeaders()
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
    /// Server: what the handler may add to its answer.
    var context: CallContext?

    init(_ call: CallStream) { self.call = call }
}
