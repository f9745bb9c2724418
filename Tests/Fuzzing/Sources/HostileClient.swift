// SPDX-License-Identifier: Apache-2.0
import Logging
import Messages
import RPC
import System
import TestMessages

/// Sends bytes to a server of this process, on a connection of their own, and waits until the server is done with it.
final class HostileClient: Sendable {
    static let shared = HostileClient()

    private let path: String
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    private init() {
        Signal.pipe.ignore()
        // In the directory that it was started in; what a run before has left there is replaced.
        path = "connection.sock"
        var logger = Logger(label: "fuzz")
        logger.logLevel = .critical
        let server = RPCServer(services: [Echo()], messageLimit: 1 << 20, logger: logger)
        do {
            let listener = try UnixSocket.listen(.stream, at: path).relinquish()
            // It serves until the process ends.
            Task.detached { try await server.serve(listening: Descriptor(adopting: listener)) }
        } catch {
            fatalError("cannot listen: \(error)")
        }
    }

    /// Half of the inputs would fail in the preface, so that it is not theirs.
    func send(_ bytes: [UInt8]) {
        do {
            let socket = try UnixSocket.connect(.stream, to: path)
            // A server that has gone away from these bytes has closed.
            try? Files.writeAll(socket.raw, Self.preface + bytes)
            UnixSocket.shutDownSending(socket.raw)
            let deadline = Clock.bootNanos + 5_000_000_000
            while true {
                var entries = [Poll.Entry(socket.raw)]
                try Poll.wait(&entries, deadlineNanos: deadline)
                guard !entries[0].found.isEmpty else {
                    // The fuzzer's own timer interrupts the wait.
                    precondition(Clock.bootNanos < deadline, "the server does not end the connection")
                    continue
                }
                guard let part = try? Files.readSome(socket.raw, limit: 65_536), !part.isEmpty else {
                    return
                }
            }
        } catch {
            fatalError("\(error)")
        }
    }
}

/// Answers with what it was sent, and reads all of it.
private final class Echo: TestV1.EchoService {
    func say(_ request: TestV1.EchoRequest, context: CallContext) async throws -> TestV1.EchoResponse {
        context.setInitialMetadata(context.metadata)
        if request.behaviour == "fail" { throw RPCError(.notFound, request.text) }
        return TestV1.EchoResponse(text: request.text, data: request.data, count: request.count)
    }

    func `repeat`(
        _ request: TestV1.EchoRequest,
        to responses: ResponseWriter<TestV1.EchoResponse>,
        context: CallContext
    ) async throws {
        for number in 0..<min(request.count, 100) {
            try await responses.write(.init(text: request.text, data: request.data, count: number))
        }
    }

    func collect(
        _ requests: RequestStream<TestV1.EchoRequest>,
        context: CallContext
    ) async throws -> TestV1.EchoResponse {
        var response = TestV1.EchoResponse()
        for try await request in requests {
            response.count &+= UInt32(truncatingIfNeeded: request.data.count)
        }
        return response
    }

    func converse(
        _ requests: RequestStream<TestV1.EchoRequest>,
        to responses: ResponseWriter<TestV1.EchoResponse>,
        context: CallContext
    ) async throws {
        for try await request in requests { try await responses.write(.init(text: request.text)) }
    }
}
