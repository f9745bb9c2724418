// SPDX-License-Identifier: Apache-2.0
import Registry
import Testing

@Suite struct ChallengeTests {
    @Test func aBearerChallengeIsRead() {
        let header =
            #"Bearer realm="https://auth.example/token?a=b",service="registry.example",scope="repository:a/b:pull,push""#
        let challenge = Challenge(header: header)
        #expect(challenge?.scheme == "bearer")
        #expect(challenge?.parameters["realm"] == "https://auth.example/token?a=b")
        #expect(challenge?.parameters["service"] == "registry.example")
        #expect(challenge?.parameters["scope"] == "repository:a/b:pull,push")
    }

    @Test(
        "credentials that are to be encrypted stay so",
        arguments: [
            ("https://r", "https://auth/token", true), ("https://r", "http://auth/token", false),
            ("https://r", "HTTP://auth", false), ("http://r", "http://auth/token", true),
            ("http://r", "https://auth/token", true),
        ]
    )
    func credentials(base: String, realm: String, mayBeSent: Bool) {
        let challenge = Challenge(header: #"Bearer realm="\#(realm)""#)
        #expect(challenge?.mayGetCredentials(from: base) == mayBeSent)
    }

    @Test(
        "odd challenges do not stop anything",
        arguments: ["", "Digest x=y", "Bearer", "Bearer realm=", "Basic", #"Basic realm="a\"b"#]
    )
    func oddChallenges(header: String) { _ = Challenge(header: header) }

    @Test(
        "users and passwords are written as RFC 7617 wants",
        arguments: [("a", "b", "Basic YTpi"), ("user", "päss", "Basic dXNlcjpww6Rzcw==")]
    )
    func basic(user: String, password: String, header: String) {
        #expect(RegistryCredentials(user: user, password: password).basic == header)
    }

    @Test func dockersConfigurationIsRead() {
        let text =
            #"{"auths":{"host:5000":{"auth":"dXNlcjpww6Rzcw=="},"https://index.docker.io/v1/":{"username":"u","password":"p"}}}"#
        let bytes = Array(text.utf8)
        #expect(RegistryCredentials(dockerConfiguration: bytes, registry: "host:5000")?.password == "päss")
        #expect(RegistryCredentials(dockerConfiguration: bytes, registry: "docker.io")?.user == "u")
        #expect(RegistryCredentials(dockerConfiguration: bytes, registry: "other") == nil)
        #expect(RegistryCredentials(dockerConfiguration: Array("{".utf8), registry: "other") == nil)
    }
}
