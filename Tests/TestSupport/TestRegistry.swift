// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Debian's docker-registry on a loopback port of its own. Made by `withRegistry`.
package final class TestRegistry {
    /// "127.0.0.1:PORT".
    package let address: String
    /// Where it keeps its blobs.
    package let storage: String
    private let process: ChildProcess
    private let authentication: [String]
    private let tokens: TokenServer?

    /// Who may use a registry: everybody, or `user` by basic authentication or by a token of another server.
    package enum Access: Sendable { case open, password, token }

    /// The one user of a registry that asks who is there.
    package static let user = (name: "tester", password: "secret")
    private static let passwords = "tester:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n"

    init(directory: String, encrypted: Bool, access: Access = .open) throws {
        let port = try freePort()
        authentication = access == .open ? [] : ["--dest-creds", "\(Self.user.name):\(Self.user.password)"]
        tokens = access == .token ? try TokenServer(for: "team/app", directory: directory) : nil
        var asking = ""
        if access == .password {
            try Data(Self.passwords.utf8).write(to: URL(fileURLWithPath: directory + "/passwords"))
            asking = "auth: {htpasswd: {realm: test, path: \(directory)/passwords}}"
        } else if let tokens {
            asking = "auth: {token: \(tokens.configuration)}"
        }
        address = "127.0.0.1:\(port)"
        storage = directory + "/storage"
        let configuration = """
            version: 0.1
            log: {level: warn}
            storage: {filesystem: {rootdirectory: \(directory)/storage}, delete: {enabled: true}}
            http: {addr: \(address)\(encrypted ? ", tls: \(try Self.certificate(in: directory))" : "")}
            \(asking)
            """
        try Data(configuration.utf8).write(to: URL(fileURLWithPath: directory + "/config.yml"))
        guard let program = programPath("docker-registry") else { throw POSIXFailure("docker-registry") }
        process = try ChildProcess(program, ["serve", directory + "/config.yml"])
        try eventually("a registry on \(address)", within: 10) { canConnect(port: port) }
    }

    /// Makes a certificate that nobody has a reason to trust.
    private static func certificate(in directory: String) throws -> String {
        let paths = ["-keyout", directory + "/key.pem", "-out", directory + "/certificate.pem"]
        let kind = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        try succeed("openssl", kind + paths)
        return "{certificate: \(directory)/certificate.pem, key: \(directory)/key.pem}"
    }

    /// Copies an archive made by `TestImage` or `make-busybox-image` to `name` in this registry.
    package func push(archive: String, as name: String) throws {
        try succeed(
            "skopeo",
            [
                "--insecure-policy", "copy", "--dest-tls-verify=false", "docker-archive:\(archive)",
                "docker://\(address)/\(name)",
            ] + authentication
        )
    }

    /// Puts an index of images that are here under `name:tag`.
    /// - Parameter images: Their tags, with the architecture that the index says.
    /// - Returns: The index's digest.
    package func pushIndex(_ name: String, tag: String, of images: [(tag: String, architecture: String)])
        throws
        -> String
    {
        let accept = "accept: application/vnd.docker.distribution.manifest.v2+json"
        let types = "application/vnd.oci.image.manifest.v1+json"
        let list = try images.map { image in
            let manifest = try succeed(
                "curl",
                ["-sSf", "-H", accept + ", " + types, "http://\(address)/v2/\(name)/manifests/\(image.tag)"]
            ).stdoutBytes
            let document = try Document(String(decoding: manifest, as: UTF8.self))
            return """
                {"mediaType":"\(document["mediaType"].string ?? "")","size":\(manifest.count),\
                "digest":"sha256:\(try TestImage.sha256(manifest))",\
                "platform":{"os":"linux","architecture":"\(image.architecture)"}}
                """
        }.joined(separator: ",")
        let type = "application/vnd.oci.image.index.v1+json"
        let index = #"{"schemaVersion":2,"mediaType":"\#(type)","manifests":[\#(list)]}"#
        try succeed(
            "curl",
            [
                "-sSf", "-X", "PUT", "-H", "content-type: \(type)", "--data-binary", index,
                "http://\(address)/v2/\(name)/manifests/\(tag)",
            ]
        )
        return "sha256:" + (try TestImage.sha256(Array(index.utf8)))
    }

    /// Stops the process without a word, as a machine that loses its power.
    package func vanish() { process.kill() }

    func end() throws {
        tokens?.end()
        process.kill()
        _ = try process.finish(within: 10)
    }
}

/// Starts a registry, lends it to `body`, and ends it.
///
/// - Parameter encrypted: With TLS and a certificate of its own making; plain HTTP otherwise.
/// - Parameter access: Who may use it.
package func withRegistry<Result>(
    encrypted: Bool = false,
    access: TestRegistry.Access = .open,
    _ body: (TestRegistry) throws -> Result
) throws -> Result {
    try withTemporaryDirectory { directory in
        let registry = try TestRegistry(directory: directory, encrypted: encrypted, access: access)
        defer { try? registry.end() }
        return try body(registry)
    }
}

func loopback(port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
}

func withAddress(
    _ address: inout sockaddr_in,
    _ call: (UnsafeMutablePointer<sockaddr>, socklen_t) -> Int32
) -> Int32 {
    withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            call($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}

/// A port that nobody listens on now.
private func freePort() throws -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { throw POSIXFailure("socket") }
    defer { close(descriptor) }
    var address = loopback(port: 0)
    guard withAddress(&address, { bind(descriptor, $0, $1) }) == 0 else { throw POSIXFailure("bind") }
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    guard withAddress(&address, { pointer, _ in getsockname(descriptor, pointer, &size) }) == 0 else {
        throw POSIXFailure("getsockname")
    }
    return UInt16(bigEndian: address.sin_port)
}

private func canConnect(port: UInt16) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var address = loopback(port: port)
    return withAddress(&address) { connect(descriptor, $0, $1) } == 0
}
