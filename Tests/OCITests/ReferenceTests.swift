// SPDX-License-Identifier: Apache-2.0
import OCI
import Testing

private let hex = String(repeating: "0123456789abcdef", count: 4)

@Suite struct ReferenceTests {
    @Test(
        "names are normalised as Docker does it",
        arguments: [
            ("busybox", "docker.io/library/busybox", "busybox"),
            ("busybox:1.36", "docker.io/library/busybox:1.36", "busybox:1.36"),
            ("library/busybox", "docker.io/library/busybox", "busybox"),
            ("docker.io/busybox", "docker.io/library/busybox", "busybox"),
            ("index.docker.io/busybox", "docker.io/library/busybox", "busybox"),
            ("team/app", "docker.io/team/app", "team/app"),
            ("team/deep/app:x", "docker.io/team/deep/app:x", "team/deep/app:x"),
            ("localhost/app", "localhost/app", "localhost/app"),
            ("localhost:5000/app:1.2", "localhost:5000/app:1.2", "localhost:5000/app:1.2"),
            ("127.0.0.1:5000/a/b", "127.0.0.1:5000/a/b", "127.0.0.1:5000/a/b"),
            ("[::1]:5000/app", "[::1]:5000/app", "[::1]:5000/app"),
            ("registry.example.com/app", "registry.example.com/app", "registry.example.com/app"),
            ("Host/app", "Host/app", "Host/app"),
            ("team/sha256:1", "docker.io/team/sha256:1", "team/sha256:1"),
            ("a__b", "docker.io/library/a__b", "a__b"),
            ("a---b", "docker.io/library/a---b", "a---b"),
            ("host:5000/a@sha256:" + hex, "host:5000/a@sha256:" + hex, "host:5000/a@sha256:" + hex),
            ("a:t@sha256:" + hex, "docker.io/library/a:t@sha256:" + hex, "a:t@sha256:" + hex),
        ]
    )
    func namesAreNormalised(text: String, whole: String, familiar: String) throws {
        let reference = try Reference(text)
        #expect(reference.description == whole)
        #expect(reference.familiar == familiar)
        #expect(try Reference(whole) == reference)
    }

    @Test(
        "what the grammar refuses is refused",
        arguments: [
            "", ":", "@", "/", "a/", "/a", "a//b", "A", "docker.io/A", "a:", "a:-x", "a: b", "a b", "a..b",
            "a.__b",
            "a___b", "-a", "a-", "a_", "a@sha256:12", "a@md5:" + hex, "a@sha256:" + hex.uppercased(),
            "http://a/b",
            "a:b:c", "host:99999/a", "host:/a", "../a", "a/../b", "a\u{0}b", "\u{e9}", hex,
            "sha256:" + hex, "sha256", "sha256:0123", "library/sha256:" + hex, "docker.io/sha256:x",
            String(repeating: "a", count: 300), "a:" + String(repeating: "t", count: 129),
        ]
    )
    func malformedReferencesAreRefused(text: String) {
        #expect(throws: OCIError.self) { try Reference(text) }
    }

    @Test func theDefaultTagIsLatest() throws {
        #expect(try Reference("busybox").withDefaultTag.familiar == "busybox:latest")
        #expect(try Reference("busybox:1").withDefaultTag.familiar == "busybox:1")
        let digest = try Digest("sha256:" + hex)
        #expect(try Reference("busybox@\(digest)").withDefaultTag.familiar == "busybox@\(digest)")
        #expect(try Reference("busybox:1").withDigest(digest).familiar == "busybox@\(digest)")
    }
}

@Suite struct PlatformTests {
    @Test(
        "spellings are normalised",
        arguments: [
            ("linux/x86_64", "linux/amd64"), ("linux/aarch64", "linux/arm64"),
            ("linux/arm64/v8", "linux/arm64"),
            ("linux/arm", "linux/arm/v7"), ("linux/armhf", "linux/arm/v7"), ("Linux/AMD64", "linux/amd64"),
        ]
    )
    func spellingsAreNormalised(text: String, expected: String) throws {
        #expect(try Platform(text).description == expected)
    }

    @Test(
        "what is no platform is refused",
        arguments: ["", "linux", "linux/", "/amd64", "a/b/c/d", "linux/a b"]
    )
    func malformedPlatformsAreRefused(text: String) {
        #expect(throws: OCIError.self) { try Platform(text) }
    }

    @Test func lowerVariantsRunOnHigherOnes() throws {
        let seven = try Platform("linux/arm/v7")
        #expect(seven.preference(for: try Platform("linux/arm/v7")) == 0)
        #expect(seven.preference(for: try Platform("linux/arm/v6")) == 2)
        #expect(try Platform("linux/arm/v6").preference(for: seven) == nil)
        #expect(try Platform("linux/amd64").preference(for: Platform("linux/arm64")) == nil)
        #expect(try Platform("linux/amd64").preference(for: Platform("windows/amd64")) == nil)
        for variant in ["v-9223372036854775808", "v9223372036854775807", "v-1", "v256", "v", "7x"] {
            let odd = Platform(os: "linux", architecture: "arm", variant: variant)
            #expect(seven.preference(for: odd) == nil && odd.preference(for: seven) == nil)
        }
    }
}

@Suite struct TimestampTests {
    @Test(
        "RFC 3339 times",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2024-02-29T12:30:00.5Z", 1_709_209_800_500_000_000),
            ("2024-02-29T13:30:00+01:00", 1_709_209_800_000_000_000),
            ("1969-12-31T23:59:59Z", -1_000_000_000),
            ("2000-03-01T00:00:00.000000001-00:00", 951_868_800_000_000_001),
            ("2262-04-11T23:47:16.854775807Z", .max),
        ] as [(String, Int64)]
    )
    func timesAreRead(text: String, nanos: Int64) { #expect(Timestamp.unixNanos(text) == nanos) }

    @Test(
        "other texts are no times",
        arguments: [
            "", "2024", "2024-13-01T00:00:00Z", "2024-01-01T00:00:00", "2024-01-01T00:00:00.Z",
            "9999-01-01T00:00:00Z", "2262-04-11T23:47:16.9Z", "1677-09-21T00:12:43Z",
        ]
    )
    func othersAreNot(text: String) { #expect(Timestamp.unixNanos(text) == nil) }
}
