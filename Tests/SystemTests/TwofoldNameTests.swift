// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

/// A server's name may stand for several addresses, of which one answers.
@Suite(.needsRoot)
struct TwofoldNameTests {
    /// The first address refuses; an attempt at the second one must not suffer for it.
    @Test(arguments: [["::1", "127.0.0.1"], ["127.0.0.1", "::1"]])
    func oneAddressThatAnswersIsEnough(addresses: [String]) throws {
        try withTemporaryDirectory { directory in
            let hosts = directory + "/hosts"
            try addresses.map { "\($0) twofold.test\n" }.joined()
                .write(toFile: hosts, atomically: true, encoding: .utf8)
            let port = 20_000 + Int.random(in: 0..<10_000)
            let server = try ChildProcess(binaries + "/rpc-interop", ["serve", "--tcp", "\(port)"])
            try eventually("a server") { server.output == "ready\n" || !server.isRunning }
            try #require(server.isRunning, "the server has ended: \(server.errorOutput)")
            // A mount namespace of its own, so that the name is known to this client alone.
            let script =
                "mount --bind \"$1\" /etc/hosts && exec \"$2\" client --tcp twofold.test \"$3\" ping_pong"
            let client = try run(
                "/usr/bin/unshare",
                ["--mount", "sh", "-c", script, "sh", hosts, binaries + "/rpc-interop", "\(port)"],
                within: 30
            )
            #expect(client.status == 0, "\(client.stderr)")
        }
    }
}
