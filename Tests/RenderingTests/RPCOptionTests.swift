// SPDX-License-Identifier: Apache-2.0
import Rendering
import Testing

@Suite struct RPCOptionTests {
    @Test(
        arguments: [
            ("unix:/run/x.sock", .unixSocket("/run/x.sock")),
            ("unix:///run/x.sock", .unixSocket("/run/x.sock")),
            ("unix:x.sock", .unixSocket("x.sock")), ("/run/x:1.sock", .unixSocket("/run/x:1.sock")),
            ("localhost:80", .host("localhost", port: 80)),
            ("10.0.0.1:65535", .host("10.0.0.1", port: 65535)),
            ("[::1]:443", .host("::1", port: 443)), ("a-b.example:1", .host("a-b.example", port: 1)),
        ] as [(String, RPCAddress)]
    )
    func addressesAreSocketsOrHosts(text: String, address: RPCAddress) throws {
        #expect(try RPCAddress(text) == address)
    }

    @Test(arguments: [
        "", "unix:", "unix://", "localhost", ":80", "localhost:", "localhost:0", "localhost:65536", "::1:443",
        "http://localhost:80", "a b:1", "[]:1", "localhost:-1",
    ])
    func otherTextsAreNoAddresses(text: String) {
        #expect(throws: Failure.self) { try RPCAddress(text) }
    }

    @Test(arguments: [
        ("a:b", "a", "b"), ("A-B: c: d ", "a-b", "c: d"), ("x-bin:AAE=", "x-bin", "AAE="), ("a:", "a", ""),
    ])
    func metadataArePairs(text: String, name: String, value: String) throws {
        let pair = try RPCMetadataText.pair(text)
        #expect(pair.name == name && pair.value == value)
    }

    @Test(arguments: ["a", "", ":b", "a:é", "a:b\u{1b}c"]) func otherTextsAreNoMetadata(text: String) {
        #expect(throws: Failure.self) { try RPCMetadataText.pair(text) }
    }
}
