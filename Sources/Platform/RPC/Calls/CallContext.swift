// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// What a handler knows of the call that it serves.
package struct CallContext: Sendable {
    private let call: CallStream

    init(_ call: CallStream) { self.call = call }

    /// `/petrel.engine.v1.Containers/Create`.
    package var method: String { call.request.method?.path ?? "" }

    /// Who is at the other end, as the kernel says; nil when the connection is not a Unix socket.
    package var peer: PeerCredentials? { call.request.peer }

    /// The certificate that the client has proved to own, in DER; nil on a Unix socket, and where none is asked for.
    package var peerCertificate: [UInt8]? { call.request.certificate }

    /// What the client sent beside its messages.
    package var metadata: Metadata { call.request.metadata }

    /// The client says that it reads compressed messages; ours says so on a Unix socket only where its call asks for them.
    package var acceptsCompression: Bool { call.request.acceptsCompression }

    /// When the client stops waiting; the handler's task is cancelled then. Nil: without limit.
    package var deadline: Deadline? { call.request.deadline }

    /// Sent before the first response; has no effect after it.
    package func setInitialMetadata(_ metadata: Metadata) {
        call.state.withLock { $0.initialMetadata = metadata }
    }

    /// Sent after the last response, with the status.
    package func setTrailingMetadata(_ metadata: Metadata) {
        call.state.withLock { $0.trailingMetadata = metadata }
    }

    /// From now on responses are compressed, unless they are written otherwise. It begins before the first,
    /// and can pause later; it has no effect, whenever it comes, where the client has not said that it reads what is compressed.
    /// - Throws: `.internal` when it would begin after the first response, whose headers did not name the
    ///   encoding.
    package func setCompression(_ compression: Compression?) throws(RPCError) {
        let compresses = compression != nil && acceptsCompression
        let isTooLate = call.state.withLock { state in
            guard !compresses || state.namesEncoding != false else { return true }
            state.compresses = compresses
            return false
        }
        guard !isTooLate else {
            throw RPCError(.internal, "compression has to be chosen before the first response is written")
        }
    }

    /// Whether the last request that was read came compressed.
    package var receivedCompressed: Bool { call.state.withLock { $0.wasCompressed } }

    /// The time left until the deadline, at least zero; nil: without limit. For calls made on the caller's behalf.
    package var remaining: Duration? { deadline?.remaining }
}
