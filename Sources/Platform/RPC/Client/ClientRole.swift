// SPDX-License-Identifier: Apache-2.0
internal import CNGHTTP2

/// The client's end of a connection: turns what arrives into answers and statuses.
final class ClientRole: ConnectionRole {
    /// Each is called on the event loop, and at most once, but `onDismissal` whenever the server says so.
    private let onReady: () -> Void
    private let onDismissal: (_ asksTooOften: Bool) -> Void
    private let onDisconnect: (String) -> Void
    private var isReady = false

    var isServer: Bool { false }

    init(
        onReady: @escaping () -> Void,
        onDismissal: @escaping (_ asksTooOften: Bool) -> Void,
        onDisconnect: @escaping (String) -> Void
    ) {
        self.onReady = onReady
        self.onDismissal = onDismissal
        self.onDisconnect = onDisconnect
    }

    func begin() -> CallStream? { nil }

    func receivedMessage(of call: CallStream, _ connection: Connection) {}

    func startHandlers(of calls: inout [CallStream]) {}

    func open(_ call: CallStream, _ opening: CallStream.Opening, _ connection: Connection) {}

    // MARK: - Answers

    func received(
        _ headers: ReceivedHeaders,
        endsStream: Bool,
        for call: CallStream,
        _ connection: Connection
    ) {
        guard !headers.isTooLarge else {
            return fail(
                call,
                RPCError(.resourceExhausted, "the server's metadata is too large"),
                connection
            )
        }
        let status = headers.httpStatus ?? 200
        // 1xx announces another header list.
        if !call.record.isOpened, (100..<200).contains(status), !endsStream { return }
        if !call.record.isOpened {
            call.record.isOpened = true
            guard headers.statusCode != nil || isAnswer(headers, status) else {
                return fail(
                    call,
                    RPCError(
                        StatusEncoding.code(forHTTP: status),
                        "HTTP status \(status) without a gRPC status"
                    ),
                    connection
                )
            }
            guard headers.encoding != .other else {
                return fail(call, RPCError(.internal, "the server's encoding is unknown"), connection)
            }
            call.record.deframer.allowsCompression = headers.encoding == .gzip
            call.receive(headers.metadata, isAll: endsStream)
        }
        guard endsStream else { return }
        finish(call, headers)
    }

    private func isAnswer(_ headers: ReceivedHeaders, _ status: Int) -> Bool {
        status == 200 && headers.content == .grpc
    }

    private func finish(_ call: CallStream, _ headers: ReceivedHeaders) {
        guard let code = headers.statusCode else {
            call.end(.failed(RPCError(.internal, "the server sent no status")), keepsMessages: true)
            return
        }
        if code == .ok, call.record.deframer.isBetweenMessages {
            call.end(.finished, trailing: headers.metadata, keepsMessages: true)
            return
        }
        let failure =
            StatusEncoding.error(status: code, message: headers.message, details: headers.details)
            ?? RPCError(.internal, "the answer ends within a message")
        call.end(.failed(failure), trailing: headers.metadata, keepsMessages: true)
    }

    func receivedEnd(of call: CallStream, _ connection: Connection) {
        call.end(.failed(RPCError(.internal, "the server sent no status")), keepsMessages: true)
    }

    // MARK: - Failures

    func received(_ violation: RPCError, for call: CallStream, _ connection: Connection) {
        fail(call, violation, connection)
    }

    func timedOut(_ call: CallStream, _ connection: Connection) {
        fail(call, RPCError(.deadlineExceeded, "the deadline has passed"), connection)
    }

    private func fail(_ call: CallStream, _ error: RPCError, _ connection: Connection) {
        call.end(.failed(error))
        connection.reset(call, NGHTTP2_CANCEL)
    }

    func closed(_ call: CallStream, code: UInt32) {
        // Nearly always: it has ended with its status.
        guard !call.closeIfOver() else { return }
        let isUnprocessed = code == NGHTTP2_REFUSED_STREAM.rawValue
        let error = RPCError(StatusEncoding.code(forReset: code), "the server has reset the call (\(code))")
        call.end(.failed(error), keepsMessages: true, isUnprocessed: isUnprocessed, isGone: true)
    }

    func lost(_ call: CallStream, reason: String) {
        call.end(.failed(RPCError(.unavailable, reason)), keepsMessages: true, isUnprocessed: !isReady)
    }

    // MARK: - The connection

    func settled() {
        guard !isReady else { return }
        isReady = true
        onReady()
    }

    func dismissed(asksTooOften: Bool) { onDismissal(asksTooOften) }

    func secured(_ agreement: SecureAgreement) {}

    func disconnected(reason: String) { onDisconnect(reason) }
}
