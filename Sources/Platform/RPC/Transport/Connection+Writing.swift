// SPDX-License-Identifier: Apache-2.0
internal import CNGHTTP2
internal import NIOCore

/// What nghttp2 has to say, on its way to the socket.
extension Connection {
    /// At most so much, and a frame, is made ready to be written before it is.
    static let writeStep = 128 << 10
    /// So many such steps follow each other while a peer reads as fast.
    private static let stepsAtOnce = 16
    private static let waitingFrames = 1024
    /// How long what is said last may take to leave.
    private static let lastWordsTime = TimeAmount.seconds(2)

    /// Writes what nghttp2 has to send, as long as the socket takes it.
    func flush() {
        guard let context, hasStarted, !isFlushing, !isClosing else { return }
        isFlushing = true
        defer { isFlushing = false }
        var steps = 0
        // A write can fail at once, which ends the session in the middle of this.
        while let session, canWrite(context) {
            guard steps < Self.stepsAtOnce else {
                flushSoon()
                break
            }
            steps += 1
            guard collect(session) else {
                context.close(promise: nil)
                return
            }
            guard output.byteCount > 0 else { break }
            let isWhole = output.byteCount < Self.writeStep
            write(context)
            if isWhole { break }
        }
        output.removeAll()
        guard let session else { return }
        pauseReading(session, context)
        if nghttp2_session_want_read(session) == 0, nghttp2_session_want_write(session) == 0 {
            closeAfterWrites()
        }
    }

    /// Other connections come first.
    private func flushSoon() {
        let bound = NIOLoopBound(self, eventLoop: loop)
        loop.scheduleTask(in: LoopExecutor.rest) { bound.value.flush() }
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

    private func canWrite(_ context: ChannelHandlerContext) -> Bool {
        socket == nil ? context.channel.isWritable : queuedBatches == 0
    }

    /// Writes the batch: past the channel's queue where nothing waits in it. What the socket does not take waits there, and
    /// nothing more is made ready until that is gone.
    private func write(_ context: ChannelHandlerContext) {
        var sent = 0
        // Its number may be another's once the channel is closed.
        if let socket, queuedBatches == 0, context.channel.isActive {
            // The channel finds by itself that the connection has failed, and closes.
            sent = (try? output.send(to: socket)) ?? 0
        }
        guard sent < output.byteCount else { return }
        let rest = wrapOutboundOut(output.rest(after: sent))
        guard socket != nil else { return context.writeAndFlush(rest, promise: nil) }
        queuedBatches += 1
        let bound = NIOLoopBound(self, eventLoop: loop)
        context.writeAndFlush(rest).whenSuccess {
            let connection = bound.value
            connection.queuedBatches -= 1
            connection.flush()
        }
    }

    /// A server reads no more from a client that does not read, once so many frames wait for it: what it asks for, and
    /// what it is told of its mistakes, is not subject to flow control. (A client reads always, so one of the two does.)
    private func pauseReading(_ session: OpaquePointer, _ context: ChannelHandlerContext) {
        guard role.isServer else { return }
        let mustPause =
            !canWrite(context)
            && nghttp2_session_get_outbound_queue_size(session) > Self.waitingFrames
        guard mustPause != isPaused else { return }
        isPaused = mustPause
        try? context.channel.syncOptions?.setOption(ChannelOptions.autoRead, value: !mustPause)
    }

    func closeAfterWrites() {
        guard let context, !isClosing else { return }
        // What is said last goes behind what the socket has not taken yet.
        if let session, queuedBatches > 0, collect(session), output.byteCount > 0 { write(context) }
        output.removeAll()
        isClosing = true
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { _ in channel.close(promise: nil) }
        // A peer that does not read would keep it for ever.
        loop.scheduleTask(in: Self.lastWordsTime) { channel.close(promise: nil) }
    }
}
