// SPDX-License-Identifier: Apache-2.0

/// What a caller may say about one call.
package struct CallOptions: Sendable {
    /// How long it may take, from now, connecting included; nil: without limit.
    package var timeout: Duration?
    /// Sent with the request.
    package var metadata: Metadata
    /// Wait, until the time-out, for a server that is not there yet (or is being restarted) instead of failing.
    package var waitForReady: Bool

    /// How requests are compressed; nil: not at all.
    package var compression: Compression?
    /// Answers may be compressed. Over TCP, and where requests are, they may be anyway; between processes of one machine it costs
    /// more than it saves.
    package var acceptsCompression: Bool

    package init(
        timeout: Duration? = nil,
        metadata: Metadata = Metadata(),
        waitForReady: Bool = false,
        compression: Compression? = nil,
        acceptsCompression: Bool = false
    ) {
        self.compression = compression
        self.acceptsCompression = acceptsCompression
        self.timeout = timeout
        self.metadata = metadata
        self.waitForReady = waitForReady
    }
}
