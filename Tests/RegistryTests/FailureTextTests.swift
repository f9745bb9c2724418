// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import NIOCore
import Testing

@testable import Registry

/// What people read of a connection that failed names no type of a library.
struct FailureTextTests {
    private struct Handshake: Error, CustomStringConvertible { let description: String }

    @Test(
        arguments: [
            (IOError(errnoCode: 111, reason: "connect"), "the connection was refused"),
            (IOError(errnoCode: 113, reason: "connect"), "no route to the host"),
            (HTTPClientError.connectTimeout, "no connection in time"),
            (HTTPClientError.remoteConnectionClosed, "the connection was closed"),
            (
                Handshake(description: "sslError([1 CERTIFICATE_VERIFY_FAILED])"),
                "its certificate is not trusted by this machine"
            ),
            (Handshake(description: "x\ny"), "x y"),
        ] as [(any Error, String)]
    )
    func itIsInPlainWords(_ error: any Error, _ text: String) { #expect(FailureText.of(error) == text) }

    @Test func anythingElseIsBounded() {
        #expect(FailureText.of(Handshake(description: String(repeating: "x", count: 9000))).count == 300)
    }
}
