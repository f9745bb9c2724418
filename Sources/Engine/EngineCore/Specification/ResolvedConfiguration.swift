// SPDX-License-Identifier: Apache-2.0

/// The user's settings over the image's defaults over Docker's: what the container runs, decided at its creation.
///
/// Kept in the database as JSON: a field added later must be optional.
package struct ResolvedConfiguration: Codable, Hashable, Sendable {
    /// Nil where there is none.
    package var entrypoint: [String]?
    package var command: [String]
    /// The image's, then the user's; without what the engine adds for the process.
    package var environment: [String]
    package var workingDirectory: String
    package var user: String
    package var hostname: String
    package var labels: [String: String]
    package var stopSignal: String
    package var stopTimeoutSeconds: UInt32
    /// Paths that the image declares as volumes.
    package var imageVolumes: [String]
    package var domainname: String?
    /// The user's over the image's; nil: neither has one.
    package var health: ContainerSettings.Health?
    /// What other containers' volumes have brought.
    package var inheritedMounts: [ContainerSettings.Storage.Mount]?

    package static let defaultStopTimeoutSeconds: UInt32 = 10

    /// Entrypoint and command together: never empty.
    package var arguments: [String] { (entrypoint ?? []) + command }

    /// Mixes by Docker's rules: an entrypoint of one's own also sets the image's command aside.
    /// - Parameter hostName: This machine's, which a container on its network shares.
    /// - Throws: `.noCommand` when nothing is to be run; `.invalidField`, `.invalidSignal`.
    package init(
        settings: ContainerSettings,
        image: ImageDefaults,
        id: ContainerID,
        hostName: String,
        borrowed: Borrowed = Borrowed()
    ) throws(EngineError) {
        let own = settings.entrypoint.map { $0 == [""] ? [] : $0 }
        let useImage = own == nil
        let entrypoint = own ?? image.entrypoint
        self.entrypoint = entrypoint.isEmpty ? nil : entrypoint
        command = settings.command.isEmpty && useImage ? image.command : settings.command
        environment = Environment.merged(image.environment, settings.environment)
        workingDirectory =
            settings.workingDirectory.isEmpty ? image.workingDirectory : settings.workingDirectory
        user = settings.user.isEmpty ? image.user : settings.user
        let sharesName = settings.network == .host || settings.namespaces.sharesHostNames
        hostname = settings.hostname.isEmpty ? borrowed.hostname : settings.hostname
        if hostname.isEmpty { hostname = sharesName ? hostName : id.short }
        domainname = settings.names.domainname.isEmpty ? borrowed.domainname : settings.names.domainname
        inheritedMounts = borrowed.mounts.isEmpty ? nil : borrowed.mounts
        labels = image.labels.merging(settings.labels) { $1 }
        stopSignal = settings.stopSignal.isEmpty ? image.stopSignal : settings.stopSignal
        if stopSignal.isEmpty { stopSignal = ContainerSignal.terminate.name }
        stopTimeoutSeconds = settings.stopTimeoutSeconds ?? ResolvedConfiguration.defaultStopTimeoutSeconds
        imageVolumes = image.volumes
        if settings.health != nil || image.health != nil {
            health = try HealthPlan(settings.health ?? .init(), over: image.health).shown
        }
        try check(image: settings.image)
    }

    private func check(image: String) throws(EngineError) {
        guard let program = arguments.first, !program.isEmpty else { throw .noCommand(image: image) }
        guard workingDirectory.isEmpty || workingDirectory.hasPrefix("/") else {
            let text = "the working directory \"\(workingDirectory)\" is not an absolute path"
            throw .invalidField("working directory", text)
        }
        guard hostname.utf8.count <= 64 else {
            throw .invalidField("hostname", "the host name is longer than 64 bytes: \"\(hostname)\"")
        }
        let texts = arguments + environment + [user, workingDirectory, hostname]
        guard !texts.contains(where: { $0.utf8.contains(0) }) else {
            throw .invalidField("configuration", "a NUL byte in an argument, variable or path")
        }
        _ = try ContainerSignal(stopSignal)
    }
}

/// Lists of `NAME=value`.
package enum Environment {

    /// `base` with the values of `changes`: same names are replaced where they stand, others appended, and a bare
    /// `NAME` takes one away.
    package static func merged(_ base: [String], _ changes: [String]) -> [String] {
        var result: [String?] = base
        // The first place of each name; an image may have very many.
        var places = Dictionary(
            base.enumerated().map { (Environment.name(of: $1), $0) },
            uniquingKeysWith: { first, _ in first }
        )
        for change in changes {
            let name = name(of: change)
            switch (places[name], change.contains("=")) {
            case (let place?, true): result[place] = change
            case (let place?, false):
                result[place] = nil
                places[name] = nil
            case (nil, true):
                places[name] = result.count
                result.append(change)
            case (nil, false): break
            }
        }
        return result.compactMap(\.self)
    }

    package static func name(of variable: String) -> Substring {
        variable.prefix { $0 != "=" }
    }
}
