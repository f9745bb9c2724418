// SPDX-License-Identifier: Apache-2.0
internal import Events

/// What a connection keeps about one open stream, as part of its call; used on its event loop only.
struct StreamRecord {
    var deframer: Deframer
    /// Of all its header lists.
    var headerBytes = 0
    /// What `content-length` announces and has not come, in bytes; nil when it says nothing.
    var missingBytes: Int?
    /// A header list has come.
    var hasHeaders = false
    /// The peer does not keep to HTTP/2: the stream was reset.
    var isMalformed = false
    /// The answer's headers were sent (server) or have arrived (client).
    var isOpened = false
    /// The peer sends no more.
    var isRemoteClosed = false
    /// Server: the status was handed to nghttp2.
    var isFinished = false
    /// Server: the request's headers were taken.
    var hasBegun = false
    /// Fires at the deadline.
    var timer: Timer?
    /// Server: what runs the handler.
    var runner: Runner?
    /// Server: its handler is to be started.
    var beginning = Beginning.no

    /// When a handler is started.
    enum Beginning {
        /// It was, or is not.
        case no
        /// When the request has come.
        case withRequest
        /// Once what arrived with the request is read.
        case soon
    }

    enum Runner {
        case task(Task<Void, Never>)
        case worker(Worker)
    }

    init(messageLimit: Int) { deframer = Deframer(limit: messageLimit) }
}
