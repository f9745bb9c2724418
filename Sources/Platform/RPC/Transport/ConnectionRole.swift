// SPDX-License-Identifier: Apache-2.0

/// What differs between the two ends of a connection. Called on its event loop.
protocol ConnectionRole: AnyObject {
    var isServer: Bool { get }

    /// Server: a new stream begins; nil refuses it.
    func begin() -> CallStream?

    /// A whole header list has arrived: a request, an answer's opening, or trailers.
    func received(
        _ headers: ReceivedHeaders,
        endsStream: Bool,
        for call: CallStream,
        _ connection: Connection
    )

    /// A message of the call has arrived.
    func receivedMessage(of call: CallStream, _ connection: Connection)

    /// Server: what had come with these requests is read. They are taken from the list.
    func startHandlers(of calls: inout [CallStream])

    /// The peer's data ended.
    func receivedEnd(of call: CallStream, _ connection: Connection)

    /// The peer broke the rules of the framing inside one stream.
    func received(_ violation: RPCError, for call: CallStream, _ connection: Connection)

    /// The deadline has come.
    func timedOut(_ call: CallStream, _ connection: Connection)

    /// The stream is gone, with HTTP/2's code: nothing of what is queued is to be sent, and nobody adds to it any more.
    func closed(_ call: CallStream, code: UInt32)

    /// The connection is gone, and the stream with it.
    func lost(_ call: CallStream, reason: String)

    /// Server: the call has something to send for the first time.
    func open(_ call: CallStream, _ opening: CallStream.Opening, _ connection: Connection)

    /// The peer's settings have arrived: it speaks HTTP/2, and listens.
    func settled()

    /// The peer takes no more calls on this connection.
    func dismissed(asksTooOften: Bool)

    /// The stream is encrypted, and both ends agree on HTTP/2.
    func secured(_ agreement: SecureAgreement)

    /// The connection has ended.
    func disconnected(reason: String)
}
