// SPDX-License-Identifier: Apache-2.0
internal import CNGHTTP2
internal import Events

/// What nghttp2 has to say, on its way to the socket.
extension Connection {
    /// At most so much, and a frame, is made ready to be written before it is.
    static let writeStep = 128 << 10
    /// So many such steps follow each other while a peer reads as fast.
    private static let stepsAtOnce = 16
    private static let waitingFrames = 1024

    /// Writes what nghttp2 has to send, as long as the socket takes it.
    func flush() {
        guard !isFlushing, !isClosing else { return }
        isFlushing = true
        defer {
            isFlushing = false
            output.removeAll()
        }
        var steps = 0
        while let session, stream.isWritable {
            guard steps < Self.stepsAtOnce else {
                flushSoon()
                break
            }
            steps += 1
            guard collect(session) else { return stream.close(nil) }
            guard output.byteCount > 0 else { break }
            stream.write(output)
            if output.byteCount < Self.writeStep { break }
        }
        guard let session else { return }
        pauseReading(session)
        if nghttp2_session_want_read(session) == 0, nghttp2_session_want_write(session) == 0 {
            closeAfterWrites()
        }
    }

    /// Other connections come first.
    private func flushSoon() {
        guard !willFlush else { return }
        willFlush = true
        let bound = EventLoop.Bound(self)
        loop.schedule(after: .zero) {
            bound.value.willFlush = false
            bound.value.flush()
        }
    }

    /// Makes the next batch ready.
    /// - Returns: False when HTTP/2 cannot go on.
    private func collect(_ session: OpaquePointer) -> Bool {
        output.removeAll()
        while output.byteCount < Self.writeStep {
            var bytes: UnsafePointer<UInt8>?
            let count = nghttp2_session_mem_send(session, &bytes)
            guard count >= 0 else {
                failure = "HTTP/2 failed: \(String(cString: nghttp2_strerror(Int32(count))))"
                return false
            }
            guard count > 0 else { break }
            output.append(UnsafeBufferPointer(start: bytes, count: count))
        }
        return true
    }

    /// A server reads no more from a client that does not read, once so many frames wait for it: what it asks for, and
    /// what it is told of its mistakes, is not subject to flow control. (A client reads always, so one of the two does.)
    private func pauseReading(_ session: OpaquePointer) {
        guard isServer else { return }
        let mustPause =
            !stream.isWritable
            && nghttp2_session_get_outbound_queue_size(session) > Self.waitingFrames
        stream.setReading(!mustPause)
    }

    func closeAfterWrites() {
        guard !isClosing else { return }
        // What is said last goes behind what the socket has not taken yet.
        if let session, !stream.isWritable, collect(session), output.byteCount > 0 { stream.write(output) }
        output.removeAll()
        isClosing = true
        stream.finish()
    }
}
