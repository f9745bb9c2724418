// SPDX-License-Identifier: Apache-2.0
import OCI
import Testing

private let hex = String(repeating: "ab", count: 32)
private let configType = "application/vnd.oci.image.config.v1+json"
private let layerType = "application/vnd.oci.image.layer.v1.tar+gzip"

private func manifest(_ config: String, _ layers: String, version: String = "2") -> [UInt8] {
    Array("{\"schemaVersion\":\(version),\"config\":\(config),\"layers\":\(layers)}".utf8)
}

private func descriptor(_ type: String, size: String = "7", digest: String? = nil) -> String {
    "{\"mediaType\":\"\(type)\",\"size\":\(size),\"digest\":\"\(digest ?? "sha256:" + hex)\"}"
}

@Suite struct ManifestTests {
    @Test func aManifestIsReadAndWrittenTheSame() throws {
        let bytes = manifest(
            descriptor(configType),
            "[\(descriptor(layerType)),\(descriptor(layerType, size: "9"))]"
        )
        guard
            case .manifest(let value) = try ManifestDocument(parsing: bytes, mediaType: MediaType.ociManifest)
        else {
            Issue.record("expected a manifest")
            return
        }
        #expect(value.layers.map(\.sizeBytes) == [7, 9])
        #expect(try ManifestDocument(parsing: value.serialized(), mediaType: "") == .manifest(value))
    }

    @Test(
        "an error names the member",
        arguments: [
            ("{", "invalid manifest: "), ("[]", "expected an object"), ("{}", "schemaVersion"),
            ("{\"schemaVersion\":1}", "schemaVersion: only version 2"),
            ("{\"schemaVersion\":2}", "config: missing"),
            ("{\"schemaVersion\":2,\"config\":{}}", "config.digest: missing"),
            ("{\"schemaVersion\":2,\"config\":\(descriptor(configType, size: "-1"))}", "config.size"),
            ("{\"schemaVersion\":2,\"config\":\(descriptor(configType, size: "\"7\""))}", "config.size"),
            ("{\"schemaVersion\":2,\"config\":\(descriptor("text/html"))}", "text/html"),
            (
                "{\"schemaVersion\":2,\"config\":\(descriptor(configType, digest: "sha256:../../etc"))}",
                "config.digest"
            ),
            (
                "{\"schemaVersion\":2,\"config\":\(descriptor(configType)),\"layers\":{}}",
                "layers: expected an array"
            ),
            (
                "{\"schemaVersion\":2,\"config\":\(descriptor(configType)),\"layers\":[\(descriptor("a/b"))]}",
                "layers[0]"
            ),
            ("{\"schemaVersion\":2,\"mediaType\":\"application/x\"}", "application/x"),
        ]
    )
    func errorsNameTheMember(text: String, expected: String) {
        do throws(OCIError) {
            _ = try ManifestDocument(parsing: Array(text.utf8), mediaType: "")
            Issue.record("accepted: \(text)")
        } catch {
            #expect(error.description.contains(expected), "\(error)")
        }
    }

    @Test func tooManyLayersAreRefused() {
        let layers = Array(repeating: descriptor(layerType), count: Manifest.maximumLayers + 1).joined(
            separator: ","
        )
        #expect(throws: OCIError.self) {
            try ManifestDocument(parsing: manifest(descriptor(configType), "[\(layers)]"), mediaType: "")
        }
    }

    @Test func tooLargeDocumentsAreRefusedUnread() {
        #expect(throws: OCIError.self) {
            try ManifestDocument(
                parsing: Array(repeating: 0x20, count: Manifest.limitBytes + 1),
                mediaType: ""
            )
        }
    }

    @Test func theIndexGivesTheBestPlatform() throws {
        func element(_ architecture: String, _ variant: String, _ size: Int) -> String {
            """
            {"mediaType":"\(MediaType.ociManifest)","size":\(size),"digest":"sha256:\(hex)",
             "platform":{"os":"linux","architecture":"\(architecture)","variant":"\(variant)"}}
            """
        }
        let elements = [
            element("unknown", "", 1), element("arm", "v6", 2), element("arm", "v7", 3),
            element("amd64", "", 4),
        ]
        let index = try Index(parsing: Array("{\"manifests\":[\(elements.joined(separator: ","))]}".utf8))
        #expect(index.manifest(for: try Platform("linux/arm/v7"))?.sizeBytes == 3)
        #expect(index.manifest(for: try Platform("linux/arm/v6"))?.sizeBytes == 2)
        #expect(index.manifest(for: try Platform("linux/amd64"))?.sizeBytes == 4)
        #expect(index.manifest(for: try Platform("linux/s390x")) == nil)
    }
}

@Suite struct ImageConfigurationTests {
    @Test func aConfigurationIsRead() throws {
        let text = """
            {"architecture":"amd64","os":"linux","created":"1970-01-01T00:00:01Z",
             "config":{"User":"1:2","Env":["A=b"],"Entrypoint":["/x"],"Cmd":null,"WorkingDir":"/w",
              "Labels":{"k":"v"},"ExposedPorts":{"80/tcp":{}},"Volumes":{"/data":{}},"StopSignal":"SIGINT",
              "Healthcheck":{"Test":["CMD","true"],"Interval":5}},
             "rootfs":{"type":"layers","diff_ids":["sha256:\(hex)"]}}
            """
        let configuration = try ImageConfiguration(parsing: Array(text.utf8))
        #expect(configuration.createdAtUnixNanos == 1_000_000_000)
        #expect(configuration.diffIDs.map(\.hex) == [hex])
        #expect(configuration.defaults.entrypoint == ["/x"])
        #expect(configuration.defaults.command == nil)
        #expect(configuration.defaults.exposedPorts == ["80/tcp"])
        #expect(configuration.defaults.volumes == ["/data"])
        #expect(configuration.defaults.labels == ["k": "v"])
        #expect(configuration.defaults.healthCheck?.test == ["CMD", "true"])
    }

    @Test(
        "what is wrong is refused",
        arguments: [
            "{}", "{\"architecture\":\"amd64\",\"os\":\"linux\"}",
            "{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"windows\"}}",
            "{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"diff_ids\":[\"sha256:zz\"]}}",
            "{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{},\"config\":{\"Env\":\"A=b\"}}",
            "{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{},\"config\":{\"Cmd\":[1]}}",
        ]
    )
    func malformedConfigurationsAreRefused(text: String) {
        #expect(throws: OCIError.self) { try ImageConfiguration(parsing: Array(text.utf8)) }
    }
}
