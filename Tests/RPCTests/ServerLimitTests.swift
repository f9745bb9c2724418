// SPDX-License-Identifier: Apache-2.0
import RPC
import System
import TestMessages
import TestSupport
import Testing

/// How many connections a server has at most.
@Suite(.timeLimit(.minutes(2)))
struct ServerLimitTests {
    @Test func connectionsBeyondTheLimitAreClosed() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/echo.sock"
            let server = makeServer(Echo())
            try await withThrowingTaskGroup(of: Void.self) { group in
                try listen(server, at: path, connectionLimit: 2, in: &group)
                let (isRefused, isServed) = try await blocking {
                    let first = try RawPeer.connect(to: path)
                    let second = try RawPeer.connect(to: path)
                    // They are accepted in turn; each is told the server's settings.
                    guard try first.next() != nil, try second.next() != nil else { return (false, false) }
                    let isRefused = try RawPeer.connect(to: path).next() == nil
                    first.close()
                    // The place is free when the server has seen the end.
                    let isServed = try eventually("a place") { () -> Bool? in
                        try RawPeer.connect(to: path).next() != nil ? true : nil
                    }
                    second.close()
                    return (isRefused, isServed)
                }
                #expect(isRefused && isServed)
                server.gracefulShutdown()
                try await group.waitForAll()
            }
        }
    }

    /// While no descriptor is free, connections wait, and the thread that would accept them does too.
    @Test func withoutDescriptorsTheServerWaits() async {
        await #expect(processExitsWith: .success) {
            try await withEcho { client, _, _, path in
                _ = try await client.say(.init())
                let (used, isServed) = try await blocking {
                    let hard = try ResourceLimits.value(ResourceLimits.openFiles).hard
                    try ResourceLimits.set(ResourceLimits.openFiles, soft: 128, hard: hard)
                    var taken: [Int32] = []
                    while let file = try? Files.open("/dev/null", .readOnly) {
                        taken.append(file.relinquish())
                    }
                    // The client's end has the only one that is left.
                    guard let last = taken.popLast() else { return (UInt64.max, false) }
                    try Descriptor(adopting: last).close()
                    let peer = try RawPeer.connect(to: path)
                    let before = Clock.processorNanos
                    pass(seconds: 0.5)
                    let used = Clock.processorNanos - before
                    for file in taken { try Descriptor(adopting: file).close() }
                    return (UInt64(used), try peer.next(within: 20) != nil)
                }
                #expect(used < 100_000_000 && isServed, "\(used) ns")
            }
        }
    }
}
