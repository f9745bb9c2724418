// SPDX-License-Identifier: Apache-2.0
import Logging
import Messages
import RPC
import Synchronization
import System
import TestMessages
import TestSupport
import Testing

/// Serves `petrel.test.v1.Echo`, and remembers what its handlers noticed.
final class Echo: TestV1.EchoService {
    struct Seen {
        var started = 0
        var cancelled = 0
        var written = 0
        var deadline: Duration?
    }

    let seen = Mutex(Seen())

    func say(_ request: TestV1.EchoRequest, context: CallContext) async throws -> TestV1.EchoResponse {
        seen.withLock { $0.started += 1 }
        switch request.behaviour {
        case "fail":
            let detail = CommonV1.ErrorDetail(
                reason: "thing_not_found",
                subject: "thing",
                errno: 2,
                advice: "look"
            )
            throw RPCError(.notFound, request.text, detail: detail)
        case "break":
            struct Broken: Error, CustomStringConvertible { let description = "broken inside" }
            throw Broken()
        case "sleep":
            seen.withLock { $0.deadline = context.remaining }
            do { try await Task.sleep(for: .seconds(60)) } catch {
                seen.withLock { $0.cancelled += 1 }
                throw error
            }
        case "metadata":
            context.setInitialMetadata(["echo": context.metadata["echo"] ?? ""])
            var trailing: Metadata = [:]
            trailing.add(context.metadata.bytes("echo-bin") ?? [], for: "echo-bin")
            context.setTrailingMetadata(trailing)
        case "compressed":
            try context.setCompression(.gzip)
            return TestV1.EchoResponse(
                text: request.text,
                data: request.data,
                count: context.receivedCompressed ? 1 : 0
            )
        case "peer": return .init(text: context.peer.map { "\($0.uid) \($0.pid)" } ?? "")
        default: break
        }
        return TestV1.EchoResponse(text: request.text, data: request.data, count: request.count)
    }

    func `repeat`(
        _ request: TestV1.EchoRequest,
        to responses: ResponseWriter<TestV1.EchoResponse>,
        context: CallContext
    ) async throws {
        if request.behaviour == "metadata" {
            context.setInitialMetadata(context.metadata)
            context.setTrailingMetadata(context.metadata)
        }
        do {
            for number in 0..<request.count {
                try await responses.write(.init(text: request.text, data: request.data, count: number))
                seen.withLock { $0.written += 1 }
            }
            if request.behaviour == "fail" { throw RPCError(.aborted, "after \(request.count)") }
            if request.behaviour == "wait" { try await Task.sleep(for: .seconds(60)) }
        } catch {
            if Task.isCancelled { seen.withLock { $0.cancelled += 1 } }
            throw error
        }
    }

    func collect(
        _ requests: RequestStream<TestV1.EchoRequest>,
        context: CallContext
    ) async throws -> TestV1.EchoResponse {
        var response = TestV1.EchoResponse()
        for try await request in requests {
            if request.behaviour == "enough" { break }
            if request.behaviour == "fail" { throw RPCError(.outOfRange, "too much") }
            response.text += request.text
            response.count += UInt32(request.data.count)
        }
        return response
    }

    private func choose(before request: TestV1.EchoRequest, _ context: CallContext) throws(RPCError) {
        if request.behaviour.hasPrefix("compress") { try context.setCompression(.gzip) }
        if request.behaviour == "plain" { try context.setCompression(nil) }
    }

    /// At once: the answer's headers have hardly left yet.
    private func choose(after request: TestV1.EchoRequest, _ context: CallContext) throws(RPCError) {
        if request.behaviour == "compress once" { try context.setCompression(nil) }
    }

    func converse(
        _ requests: RequestStream<TestV1.EchoRequest>,
        to responses: ResponseWriter<TestV1.EchoResponse>,
        context: CallContext
    ) async throws {
        seen.withLock { $0.started += 1 }
        do {
            for try await request in requests {
                if request.behaviour == "pause" {
                    try await Task.sleep(for: .seconds(60))
                }
                try choose(before: request, context)
                guard request.behaviour == "compressed" else {
                    try await responses.write(.init(text: request.text, data: request.data))
                    try choose(after: request, context)
                    continue
                }
                let compressed = context.receivedCompressed
                let answer = TestV1.EchoResponse(data: request.data, count: compressed ? 1 : 0)
                try await responses.write(answer, compressed: compressed)
            }
        } catch {
            seen.withLock { $0.cancelled += 1 }
            throw error
        }
    }
}

/// Runs `body` with a server on a fresh socket and a client of it, and ends both.
func withEcho(
    named name: String = "echo.sock",
    quick: Set<String> = [],
    messageLimit: Int = 4 << 20,
    observers: [any CallObserver] = [],
    interceptors: [any ServerInterceptor] = [],
    _ body: @escaping @Sendable (TestV1.EchoClient, Echo, RPCServer, String) async throws -> Void
) async throws {
    try await withTemporaryDirectory { directory in
        let path = directory + "/" + name
        try Files.makeDirectories(Files.parentPath(of: path))
        let echo = Echo()
        let server = makeServer(
            echo,
            quick: quick,
            messageLimit: messageLimit,
            observers: observers,
            interceptors: interceptors
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            try listen(server, at: path, in: &group)
            let channel = Channel(unixSocket: path)
            try await body(TestV1.EchoClient(channel: channel), echo, server, path)
            await channel.close()
            server.gracefulShutdown()
            try await group.waitForAll()
        }
    }
}

/// Serves on a new socket at `path`, as a task of the group.
func listen(
    _ server: RPCServer,
    at path: String,
    connectionLimit: Int = 4096,
    in group: inout ThrowingTaskGroup<Void, any Error>
) throws {
    // A task's closure cannot own a descriptor, but the number is owned by it alone.
    let listener = try UnixSocket.listen(.stream, at: path).relinquish()
    group.addTask {
        try await server.serve(listening: Descriptor(adopting: listener), connectionLimit: connectionLimit)
    }
}

func makeServer(
    _ echo: Echo,
    quick: Set<String> = [],
    messageLimit: Int = 4 << 20,
    observers: [any CallObserver] = [],
    interceptors: [any ServerInterceptor] = [],
    keepAlive: KeepAlive? = nil,
    gracePeriod: Duration = .milliseconds(300),
    onStop: @escaping @Sendable () -> Void = {}
) -> RPCServer {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return RPCServer(
        services: [echo],
        quick: quick,
        messageLimit: messageLimit,
        observers: observers,
        interceptors: interceptors,
        keepAlive: keepAlive,
        logger: logger,
        gracePeriod: gracePeriod,
        onStop: onStop
    )
}

/// Waits until `condition` holds; false after ten seconds.
func eventually(_ condition: () -> Bool) async throws -> Bool {
    for _ in 0..<1000 {
        if condition() { return true }
        try await Task.sleep(for: .milliseconds(10))
    }
    return false
}

/// `#expect` for what throws and waits.
func expect(_ condition: Bool, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(condition, sourceLocation: sourceLocation)
}

/// Checks how `body` fails.
func expectFailure<Result>(
    _ code: StatusCode,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Result
) async {
    let error = await failure(body)
    #expect(error?.code == code, "\(error?.description ?? "no error")", sourceLocation: sourceLocation)
}

/// The error that `body` ends with.
func failure<Result>(_ body: () async throws -> Result) async -> RPCError? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error as? RPCError ?? RPCError(.unknown, "not an RPCError: \(error)")
    }
}
