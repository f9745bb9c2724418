// SPDX-License-Identifier: Apache-2.0
internal import JSON

/// An image's configuration: what it is made of, and how a container of it runs unless told otherwise.
///
/// Source followed: OCI image specification, "Image Configuration", and Docker's additions (health check, shell).
package struct ImageConfiguration: Hashable, Sendable {
    /// The most that a configuration may take, in bytes.
    package static let limitBytes = 2 << 20

    package let platform: Platform
    /// Zero when the image does not say.
    package let createdAtUnixNanos: Int64
    package let author: String
    package let defaults: Defaults
    /// Digests of the uncompressed layers, lowest first.
    package let diffIDs: [Digest]

    /// How to run it.
    package struct Defaults: Hashable, Sendable {
        package var user = ""
        package var environment: [String] = []
        /// Nil is "not given", which differs from empty.
        package var entrypoint: [String]?
        package var command: [String]?
        package var workingDirectory = ""
        package var labels: [String: String] = [:]
        package var stopSignal = ""
        /// Paths.
        package var volumes: [String] = []
        /// `80/tcp`.
        package var exposedPorts: [String] = []
        package var shell: [String]?
        package var healthCheck: HealthCheck?

        package init() {}
    }

    /// Docker's health check.
    package struct HealthCheck: Hashable, Sendable {
        /// `NONE`; or `CMD` and arguments; or `CMD-SHELL` and a line.
        package let test: [String]
        package let intervalNanos: Int64
        package let timeoutNanos: Int64
        package let startPeriodNanos: Int64
        package let retries: Int64
    }

    package init(parsing bytes: [UInt8]) throws(OCIError) {
        let document = try Document(bytes, name: "image configuration", limit: Self.limitBytes)
        guard let platform = Platform(json: document.json) else {
            throw .invalidMember(
                document: "image configuration",
                path: "architecture",
                "architecture and os must be given"
            )
        }
        self.platform = platform
        createdAtUnixNanos = try document.optionalString("created").flatMap(Timestamp.unixNanos) ?? 0
        author = try document.optionalString("author") ?? ""
        defaults = try Defaults(document.optionalObject("config"))
        let rootfs = try document.object("rootfs")
        guard try rootfs.optionalString("type") ?? "layers" == "layers" else {
            throw .invalidMember(document: "image configuration", path: "rootfs.type", "expected \"layers\"")
        }
        var diffIDs: [Digest] = []
        for (index, text) in try (rootfs.strings("diff_ids", limit: Manifest.maximumLayers) ?? [])
            .enumerated()
        {
            do throws(OCIError) {
                diffIDs.append(try Digest(text))
            } catch {
                throw .invalidMember(
                    document: "image configuration",
                    path: "rootfs.diff_ids[\(index)]",
                    "\(error)"
                )
            }
        }
        self.diffIDs = diffIDs
    }
}

extension ImageConfiguration.Defaults {
    init(_ document: Document?) throws(OCIError) {
        guard let document else { return }
        user = try document.optionalString("User") ?? ""
        environment = try document.strings("Env") ?? []
        entrypoint = try document.strings("Entrypoint")
        command = try document.strings("Cmd")
        workingDirectory = try document.optionalString("WorkingDir") ?? ""
        labels = try document.stringMap("Labels")
        stopSignal = try document.optionalString("StopSignal") ?? ""
        volumes = try document.keys("Volumes")
        exposedPorts = try document.keys("ExposedPorts")
        shell = try document.strings("Shell")
        if let check = try document.optionalObject("Healthcheck") {
            healthCheck = .init(
                test: try check.strings("Test") ?? [],
                intervalNanos: try check.optionalInteger("Interval") ?? 0,
                timeoutNanos: try check.optionalInteger("Timeout") ?? 0,
                startPeriodNanos: try check.optionalInteger("StartPeriod") ?? 0,
                retries: try check.optionalInteger("Retries") ?? 0
            )
        }
    }
}
