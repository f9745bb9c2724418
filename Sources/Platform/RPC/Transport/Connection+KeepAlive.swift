// SPDX-License-Identifier: Apache-2.0
internal import CNGHTTP2
internal import Events
internal import System

/// Asking the peer for a sign of life, and being asked.
extension Connection {
    /// A peer that has not spoken HTTP/2 by then is no peer.
    private static let greetingTime = Duration.seconds(20)

    /// A server's connection that nobody speaks on is closed. (A client's is looked after by its connector.)
    func awaitGreeting() {
        guard isServer, !isGreeted else { return }
        greetingTimer = later(Self.greetingTime) { connection in
            connection.giveUp("the peer has not spoken HTTP/2 in time")
        }
    }

    /// Its settings have arrived, or the connection has ended.
    func stopAwaitingGreeting() {
        guard let timer = greetingTimer else { return }
        greetingTimer = nil
        loop.cancel(timer)
    }

    func keepAlive(_ keepAlive: KeepAlive) {
        later(keepAlive.interval) { connection in
            defer { connection.keepAlive(keepAlive) }
            let isSilent = !connection.hasHeard
            connection.hasHeard = false
            guard isSilent, !connection.isAsking, keepAlive.withoutCalls || connection.calls.count > 0
            else { return }
            connection.ask(keepAlive)
        }
    }

    private func ask(_ keepAlive: KeepAlive) {
        guard let session else { return }
        isAsking = true
        questions += 1
        let question = questions
        nghttp2_submit_ping(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil)
        flush()
        later(keepAlive.timeout) { connection in
            // Another may have been asked since this one was answered.
            guard connection.isAsking, connection.questions == question else { return }
            connection.giveUp("the peer has not answered in \(keepAlive.timeout)")
        }
    }

    @discardableResult
    func later(
        _ time: Duration,
        _ body: @escaping @Sendable (Connection) -> Void
    ) -> Timer {
        let bound = EventLoop.Bound(reference)
        return loop.schedule(after: time) {
            guard let connection = bound.value.connection, connection.session != nil else { return }
            body(connection)
        }
    }

    /// What timers hold, so that they do not keep a connection that has ended. (A weak reference would make each of a
    /// call's hundred references to its connection slower.)
    final class Reference {
        var connection: Connection?
    }

    // MARK: - Being asked

    /// A client's PING. Too many of them, and it is told so and sent away.
    func receivedPing() {
        guard isServer, let session, pings.received(at: Clock.bootNanos) else { return }
        let reason = Array("too_many_pings".utf8)
        nghttp2_submit_goaway(
            session,
            UInt8(NGHTTP2_FLAG_NONE.rawValue),
            nghttp2_session_get_last_proc_stream_id(session),
            NGHTTP2_ENHANCE_YOUR_CALM.rawValue,
            reason,
            reason.count
        )
        flushLater { $0.giveUp("the peer sent too many PINGs") }
    }
}
