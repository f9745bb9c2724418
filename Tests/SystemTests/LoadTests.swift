// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

/// nghttp2's own programs, which were written without gRPC in mind, against our server.
@Suite(.serialized, .needsProgram("h2load"), .needsProgram("nghttp"))
struct LoadTests {
    /// An empty message as gRPC frames it.
    private static let body: [UInt8] = [0, 0, 0, 0, 0]
    private static let headers = ["-H", "content-type: application/grpc", "-H", "te: trailers"]

    /// Few connections with many calls each, and many with few.
    @Test(arguments: [(clients: 4, streams: 1000), (clients: 200, streams: 10)])
    func noCallOfManyFails(clients: Int, streams: Int) throws {
        let count = 20_000
        try withServer { address, body in
            let output = try succeed(
                #require(programPath("h2load")),
                ["-n", "\(count)", "-c", "\(clients)", "-m", "\(streams)", "-d", body]
                    + Self.headers + [address + "/grpc.testing.TestService/EmptyCall"]
            ).stdout
            let expected = "\(count) done, \(count) succeeded, 0 failed, 0 errored, 0 timeout"
            #expect(output.contains(expected), "\(output)")
        }
    }

    @Test func aStatusIsInTheTrailers() throws {
        try withServer { address, body in
            let output = try succeed(
                #require(programPath("nghttp")),
                ["-v", "-d", body] + Self.headers + [address + "/grpc.testing.TestService/Nothing"]
            ).stdout
            #expect(output.contains("grpc-status: 12"), "\(output)")
        }
    }

    /// Serves on a port of the loopback interface (nghttp knows no Unix sockets).
    private func withServer(_ test: (_ address: String, _ body: String) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            let body = directory + "/body"
            try String(decoding: Self.body, as: UTF8.self).write(
                toFile: body,
                atomically: false,
                encoding: .utf8
            )
            let port = 20_000 + Int.random(in: 0..<10_000)
            let server = try ChildProcess(binaries + "/rpc-interop", ["serve", "--tcp", "\(port)"])
            try eventually("a server") { server.output == "ready\n" || !server.isRunning }
            try #require(server.isRunning, "the server has ended: \(server.errorOutput)")
            try test("http://127.0.0.1:\(port)", body)
            #expect(server.isRunning, "the server has ended: \(server.errorOutput)")
        }
    }
}
