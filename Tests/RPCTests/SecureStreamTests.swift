// SPDX-License-Identifier: Apache-2.0
import Events
import RPC
import Synchronization
import System
import TestMessages
import TestSupport
import Testing

/// How connections end whose bytes somebody else has encrypted.
@Suite(.timeLimit(.minutes(1)))
struct SecureStreamTests {
    private static let answer =
        Frame.headers(Field.answer).bytes + Frame.data(Frame.message([])).bytes
        + Frame.headers([Field("grpc-status", "0")], flags: Frame.Flags.endHeaders | Frame.Flags.endStream)
        .bytes

    /// What is written then makes several records, none of which the peer takes.
    @Test func whatAPeerHasSaidBeforeItWentIsRead() async throws {
        let mayEnd = Atomic(false)
        let hasEnded = Atomic(false)
        try await withRawChannel(security: PlainSecurity()) { peer, _ in
            try peer.greet()
            while !mayEnd.load(ordering: .acquiring) { pass(seconds: 0.001) }
            try peer.send(Self.answer)
            peer.close()
            hasEnded.store(true, ordering: .releasing)
        } _: { channel in
            let client = TestV1.EchoClient(channel: channel)
            // On the loop, so that it does not read meanwhile.
            try await withTaskExecutorPreference(EventLoop.shared) {
                try await client.converse { requests, responses in
                    try await requests.write(.init())
                    // The call has left.
                    try await Task.sleep(for: .milliseconds(50))
                    mayEnd.store(true, ordering: .releasing)
                    while !hasEnded.load(ordering: .acquiring) { pass(seconds: 0.001) }
                    try? await requests.write(.init(data: [UInt8](repeating: 1, count: 10_000)))
                    expect(try await responses.next() != nil)
                    expect(try await responses.next() == nil)
                }
            }
        }
    }

    /// A connection that just ends may have been cut.
    @Test func aConnectionThatIsClosedSaysSo() async throws {
        let farewell = Mutex<[UInt8]>([])
        try await withRawChannel(security: PlainSecurity()) { peer, _ in
            try peer.greet()
            try peer.send(Self.answer)
            let rest = try Files.contents(of: peer.socket.raw, limit: 1 << 16)
            farewell.withLock { $0 = rest.suffix(PlainSession.farewell.count) }
        } _: { channel in
            _ = try await TestV1.EchoClient(channel: channel).say(.init())
            await channel.close()
            expect(try await eventually { farewell.withLock { $0 } == PlainSession.farewell })
        }
    }

    /// A record that cannot be read, behind others that can.
    @Test func whatCameBeforeAFailureIsRead() async throws {
        try await withRawChannel(security: PlainSecurity()) { peer, _ in
            try peer.greet()
            try peer.send(Self.answer + PlainSession.bad)
            _ = try peer.awaitEnd()
        } _: { channel in
            _ = try await TestV1.EchoClient(channel: channel).say(.init())
        }
    }
}

/// Leaves the bytes as they are, and makes small records of them.
private final class PlainSession: SecureSession {
    struct Unreadable: Error {}

    /// What ends with this fails.
    static let bad = Array("unreadable".utf8)
    static let farewell = Array("farewell".utf8)

    private var input: [[UInt8]] = []
    private var output: [[UInt8]] = []

    let agreement: SecureAgreement? = SecureAgreement(protocolName: "h2", refusal: nil, peerCertificate: nil)
    let hasEnded = false

    func begin() {}

    func receive(_ encrypted: UnsafeRawBufferPointer) throws {
        let bytes = Array(encrypted)
        guard bytes.suffix(Self.bad.count) == Self.bad[...] else { return input.append(bytes) }
        input.append(bytes.dropLast(Self.bad.count))
        throw Unreadable()
    }

    func write(_ plain: UnsafeRawBufferPointer) {
        var rest = Array(plain)[...]
        while !rest.isEmpty {
            output.append(Array(rest.prefix(100)))
            rest = rest.dropFirst(100)
        }
    }

    func end() { output.append(Self.farewell) }

    func nextOutput() -> [UInt8]? { output.isEmpty ? nil : output.removeFirst() }

    func nextInput() -> [UInt8]? { input.isEmpty ? nil : input.removeFirst() }
}

private struct PlainSecurity: TransportSecurity {
    func makeSession(with peer: String) -> any SecureSession { PlainSession() }
}
