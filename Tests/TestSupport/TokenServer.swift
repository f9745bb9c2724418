// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Gives `TestRegistry.user` a token for one repository, and nobody else: the other half of the distribution project's
/// "Token Authentication Specification". Serves until `end`, one request after another.
final class TokenServer: Sendable {
    /// What the registry is to know of it.
    let configuration: String
    private let listener: Int32
    private let token: String

    init(for repository: String, directory: String) throws {
        let (key, certificate) = (directory + "/token-key.pem", directory + "/token-certificate.pem")
        let kind = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        try succeed("openssl", kind + ["-keyout", key, "-out", certificate])
        token = try Self.token(for: repository, key: key, certificate: certificate)
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var own = loopback(port: 0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        guard listener >= 0, withAddress(&own, { bind(listener, $0, $1) }) == 0, listen(listener, 16) == 0,
            withAddress(&own, { pointer, _ in getsockname(listener, pointer, &size) }) == 0
        else { throw POSIXFailure("listen") }
        let realm = "http://127.0.0.1:\(UInt16(bigEndian: own.sin_port))/token"
        configuration = "{realm: \"\(realm)\", service: test, issuer: test, rootcertbundle: \(certificate)}"
        Thread.detachNewThread { self.serve() }
    }

    func end() { shutdown(listener, Int32(SHUT_RDWR)) }

    /// RFC 7519, signed with RS256; the certificate is in it.
    private static func token(for repository: String, key: String, certificate: String) throws -> String {
        let der = try succeed("openssl", ["x509", "-in", certificate, "-outform", "DER"]).stdoutBytes
        let now = Int(Date().timeIntervalSince1970)
        let header = #"{"alg":"RS256","typ":"JWT","x5c":["\#(Data(der).base64EncodedString())"]}"#
        let claims = """
            {"iss":"test","sub":"tester","aud":"test","exp":\(now + 3_600),"nbf":\(now - 60),"iat":\(now - 60),\
            "jti":"1","access":[{"type":"repository","name":"\(repository)","actions":["pull","push"]}]}
            """
        let text = encoded(Array(header.utf8)) + "." + encoded(Array(claims.utf8))
        let signing = ["dgst", "-sha256", "-sign", key]
        return text + "." + encoded(try run("openssl", signing, stdin: .bytes(Array(text.utf8))).stdoutBytes)
    }

    private static func encoded(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacingOccurrences(of: "+", with: "-")
            .replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
    }

    private func serve() {
        let user = TestRegistry.user
        let credentials = Data("\(user.name):\(user.password)".utf8).base64EncodedString()
        while true {
            let client = accept(listener, nil, nil)
            guard client >= 0 else { break }
            var buffer = [UInt8](repeating: 0, count: 16 << 10)
            let count = max(0, recv(client, &buffer, buffer.count, 0))
            let request = String(decoding: buffer[..<count], as: UTF8.self)
            let isKnown = request.contains("Basic " + credentials)
            let body = isKnown ? #"{"token":"\#(token)"}"# : "{}"
            let answer = """
                HTTP/1.1 \(isKnown ? "200 OK" : "401 Unauthorized")\r
                Content-Type: application/json\r
                Content-Length: \(body.utf8.count)\r
                Connection: close\r
                \r
                \(body)
                """
            let bytes = Array(answer.utf8)
            _ = send(client, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            close(client)
        }
        close(listener)
    }
}
