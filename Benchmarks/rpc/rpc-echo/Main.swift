// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BenchmarkMessages
import Events
import Logging
import RPC
import System

/// The benchmark group's program made of Petrel's own transport and codec (Benchmarks/rpc/README.md).
@main
struct RPCEcho: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rpc-echo",
        abstract: "Echoes messages, and measures that.",
        subcommands: [Serve.self, Unary.self, Flow.self, Idle.self, Streams.self, Codec.self, Soak.self]
    )
}

/// What every client's command is told.
struct Target: ParsableArguments {
    @Argument(help: "The server's socket.") var socket: String

    var client: BenchmarkV1.EchoClient { .init(channel: Channel(unixSocket: socket)) }
}

struct Serve: AsyncParsableCommand {
    @OptionGroup var target: Target

    func run() async throws {
        Signal.pipe.ignore()
        var logger = Logger(label: "rpc-echo")
        logger.logLevel = .error
        let service = Echo()
        // All of them, so that a call needs one thread, as those of other servers do that are measured here.
        let quick = Set(service.methods.map { "\(service.serviceName)/\($0.name)" })
        let server = RPCServer(services: [service], quick: quick, logger: logger)
        let listener = try UnixSocket.listen(.stream, at: target.socket)
        // As all daemons do.
        try? SmallProgram.keep()
        try Output.line("ready")
        try await server.serve(listening: listener)
    }
}

/// `petrel.benchmark.v1.Echo`.
final class Echo: BenchmarkV1.EchoService {
    func say(
        _ request: BenchmarkV1.EchoMessage,
        context: CallContext
    ) async throws -> BenchmarkV1.EchoMessage { request }

    func flow(
        _ request: BenchmarkV1.FlowRequest,
        to responses: ResponseWriter<BenchmarkV1.EchoMessage>,
        context: CallContext
    ) async throws {
        var left = Int(clamping: request.bytes)
        let chunk = min(Int(request.chunkBytes), 1 << 20)
        guard chunk > 0 else { throw RPCError(.invalidArgument, "chunk_bytes is 0") }
        let message = BenchmarkV1.EchoMessage(payload: [UInt8](repeating: 0x5a, count: chunk))
        while left >= chunk {
            try await responses.write(message)
            left -= chunk
        }
        if left > 0 { try await responses.write(.init(payload: [UInt8](repeating: 0x5a, count: left))) }
    }

    func talk(
        _ requests: RequestStream<BenchmarkV1.EchoMessage>,
        to responses: ResponseWriter<BenchmarkV1.EchoMessage>,
        context: CallContext
    ) async throws {
        for try await request in requests { try await responses.write(request) }
    }
}

enum Output {
    static func line(_ text: String) throws { try Files.writeAll(1, Array((text + "\n").utf8)) }

    /// Until whoever started this program closes its input.
    static func waitForEndOfInput() throws {
        while try !Files.readSome(0, limit: 4096).isEmpty {}
    }
}
