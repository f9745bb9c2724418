// SPDX-License-Identifier: Apache-2.0
import Logging
import RPC
import System

/// Our side of gRPC's interoperability tests, against another implementation or itself.
///
/// `rpc-interop serve SOCKET`, or `serve --tcp PORT` (of the loopback interface): serves until it is ended, and says
/// `ready` first. `rpc-interop client SOCKET CASE`, or `client --tcp HOST PORT CASE`: exit code 0 if the case passed, 1
/// with one line on stderr if it failed. `rpc-interop cases` lists them. Exit code 2 for other arguments.
@main
struct Main {
    static func main() async {
        // A peer that goes away is an error of that write, not the end of this process.
        Signal.pipe.ignore()
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            switch (arguments.first, arguments.count) {
            case ("serve", 2): try await serve(UnixSocket.listen(.stream, at: arguments[1]))
            case ("serve", 3) where arguments[1] == "--tcp":
                guard let port = UInt16(arguments[2]) else { fail("no port \(arguments[2])", code: 2) }
                try await serve(InternetSocket.listen(on: "127.0.0.1", port: port))
            case ("client", 3): try await run(arguments[2], at: .unixSocket(arguments[1]))
            case ("client", 5) where arguments[1] == "--tcp":
                guard let port = UInt16(arguments[3]) else { fail("no port \(arguments[3])", code: 2) }
                try await run(arguments[4], at: .tcp(host: arguments[2], port: Int(port)))
            case ("cases", 1): for name in InteropCase.allCases { print(name.rawValue) }
            default:
                fail(
                    "serve SOCKET | serve --tcp PORT | client [--tcp HOST PORT | SOCKET] CASE | cases",
                    code: 2
                )
            }
        } catch {
            fail("\(error)")
        }
    }

    private static func serve(_ listener: consuming Descriptor) async throws {
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        let server = RPCServer(services: [TestService.served], logger: Logger(label: "rpc-interop"))
        try Files.writeAll(1, Array("ready\n".utf8))
        try await server.serve(listening: listener)
    }

    private static func run(_ name: String, at address: ServerAddress) async throws {
        guard let wanted = InteropCase(rawValue: name) else { fail("no case \(name)", code: 2) }
        let channel = Channel(to: address)
        do { try await InteropClient(channel: channel).run(wanted) } catch { fail("\(name): \(error)") }
        await channel.close()
    }

    private static func fail(_ text: String, code: Int32 = 1) -> Never {
        try? Files.writeAll(2, Array("rpc-interop: \(text)\n".utf8))
        CurrentProcess.exit(code)
    }
}
