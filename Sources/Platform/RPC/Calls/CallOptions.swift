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
    /// Asks for compressed answers on a Unix socket too, where compressing costs more than it saves. Over TCP, and where requests
    /// are compressed, every call asks.
    package var asksForCompression: Bool

    package init(
        timeout: Duration? = nil,
        metadata: Metadata = Metadata(),
        waitForReady: Bool = false,
        compression: Compression? = nil,
        asksForCompression: Bool = false
    ) {
        self.compression = compression
        self.asksForCompression = asksForCompression
        self.timeout = timeout
        self.metadata = metadata
        self.waitForReady = waitForReady
    }
}
