// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization
import Testing
import TestSupport

/// gRPC's interoperability tests: our client with grpcio's server, grpcio's client with our server.
///
/// Below PETREL_TEST_ROOT the file `interop-table` shows what became of each case in each direction.
@Suite(.serialized, .needsTestPython)
struct InteropTests {
    enum Direction: String, CaseIterable {
        case ourClient = "our client"
        case ourServer = "our server"
    }

    static let cases = [
        "empty_unary", "large_unary", "client_streaming", "server_streaming", "ping_pong", "empty_stream",
        "client_compressed_unary", "server_compressed_unary", "client_compressed_streaming",
        "server_compressed_streaming", "custom_metadata", "status_code_and_message", "special_status_message",
        "unimplemented_method", "unimplemented_service", "cancel_after_begin", "cancel_after_first_response",
        "timeout_on_sleeping_server",
    ]
    /// Most seconds of a case, by either client; each limits its calls to less.
    private static let limit = 60.0

    @Test(arguments: cases, Direction.allCases)
    func implementationsUnderstandEachOther(name: String, direction: Direction) throws {
        Self.table.note(name, direction, "FAILED")
        try withTemporaryDirectory { directory in
            let socket = directory + "/socket"
            let (ours, theirs) = (Side.ours, try Side.theirs())
            let (server, client) = direction == .ourClient ? (theirs, ours) : (ours, theirs)
            let serving = try ChildProcess(server.program, server.arguments + ["serve", socket])
            try eventually("a server at \(socket)") { serving.output == "ready\n" || !serving.isRunning }
            try #require(serving.isRunning, "the server has ended: \(serving.errorOutput)")
            let outcome = try run(
                client.program,
                client.arguments + ["client", socket, name],
                within: Self.limit
            )
            #expect(outcome.status == 0, "\(outcome.stderr)\nserver: \(serving.errorOutput)")
            #expect(serving.isRunning, "the server has ended: \(serving.errorOutput)")
            if outcome.status == 0, serving.isRunning { Self.table.note(name, direction, "ok") }
        }
    }

    @Test func bothSidesKnowTheCases() throws {
        for side in [Side.ours, try Side.theirs()] {
            #expect(try Set(succeed(side.program, side.arguments + ["cases"]).lines) == Set(Self.cases))
        }
    }

    private struct Side {
        let program: String
        let arguments: [String]

        static let ours = Side(program: binaries + "/rpc-interop", arguments: [])

        /// Started by `env`, for Python finds its packages by the whole path in its own arguments.
        static func theirs() throws -> Side {
            let script = repository + "/Tests/Interop/interop.py"
            return Side(program: "/usr/bin/env", arguments: [try #require(testPython), script])
        }
    }

    private static let table = Table()
}

/// The outcome of each cell; written anew with every one, so that a run that is cut off has it too.
private final class Table: Sendable {
    private let cells = Mutex<[String: String]>([:])

    func note(_ name: String, _ direction: InteropTests.Direction, _ outcome: String) {
        let cells = cells.withLock { cells in
            cells[name + direction.rawValue] = outcome
            return cells
        }
        guard let root = ProcessInfo.processInfo.environment["PETREL_TEST_ROOT"] else { return }
        let directions = InteropTests.Direction.allCases.map(\.rawValue)
        let width = InteropTests.cases.map(\.count).max() ?? 0
        let rows =
            [["case"] + directions]
            + InteropTests.cases.map { name in
                [name] + directions.map { cells[name + $0] ?? "not run" }
            }
        let text = rows.map { row in
            row[0].padding(toLength: width + 2, withPad: " ", startingAt: 0)
                + row[1].padding(toLength: 12, withPad: " ", startingAt: 0) + row[2] + "\n"
        }
        try? text.joined().write(toFile: root + "/interop-table", atomically: true, encoding: .utf8)
    }
}
