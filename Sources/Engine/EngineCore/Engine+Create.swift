// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import GRDB
internal import Logging
internal import Suite
internal import System

/// Making a container: row `creating` and snapshot, files → supervisor → row `created`; undone in reverse.
///
/// The snapshot is made beside the row and its way to the disk: one that has no row, and is provisional or transient, is known
/// for what is left of a creation that was cut off. What is on the disk when the caller is told is the row: what the others
/// have follows a moment later, and is made again of the row where a power failure comes between.
extension Engine {
    package struct Creation: Hashable, Sendable {
        package let id: ContainerID
        package let name: String
        package let warnings: [String]
    }

    /// Makes a container that can be started; and starts it, if asked to.
    /// - Parameter name: Empty: a generated one.
    /// - Parameter key: A call repeated with the same key, after the first was interrupted, is answered with the container
    ///   that the first one made, for as long as that is there; one that was also started is known by it for a day longer.
    ///   Empty: another one each time.
    /// - Parameter launch: Nil: it is not started.
    /// - Throws: `.invalidName`, `.nameTaken`, `.invalidField`, `.noCommand`, `.imageNotFound`, `.bindSourceAbsent`,
    ///   `.networkNotFound`, `.badImage`, `.platformMismatch`, `.containerNotFound` for another that it refers to; or a
    ///   `PeerError`. Afterwards nothing of it is left. `.startFailed`, or a `PeerError` of its start: it is there.
    package func create(
        name: String,
        settings: ContainerSettings,
        key: String = "",
        launch: Launch? = nil
    ) async throws -> Creation {
        try settings.check(on: host)
        let key = try RequestKey.checked(key)
        if let made = try await made(byRequest: key, launch) { return made }
        var known = knownImages.find(settings.image)
        var attempt = 1
        while true {
            let image = if let known { known } else { try await image(settings.image) }
            knownImages.note(image, as: settings.image)
            do { return try await make(name, settings, key, launch, of: image) } catch {
                guard attempt < Engine.imageAttempts, Engine.mayBeOfImage(error) else { throw error }
                // What may be wrong with this image need not be with the one that the name means now.
                let present = try await self.image(settings.image)
                guard present.id != image.id else { throw error }
                known = present
                attempt += 1
            }
        }
    }

    /// A name may move while a container is made of what it meant.
    private static let imageAttempts = 4

    /// Whether nothing was made, and another image might not have failed so.
    private static func mayBeOfImage(_ error: any Error) -> Bool {
        switch error {
        case EngineError.startFailed: false
        case is EngineError: true
        case let error as PeerError: error.isOfImageName
        default: false
        }
    }

    private func make(
        _ name: String,
        _ settings: ContainerSettings,
        _ key: String,
        _ launch: Launch?,
        of image: StoredImage
    ) async throws -> Creation {
        let wanted = name.isEmpty ? nil : try ContainerName(name)
        let (settings, borrowed) = try await borrow(settings)
        try ImagePlatform(settings.platform).check(image, called: settings.image)
        let defaults = try ImageDefaults(configuration: image.configuration, image: settings.image)
        let id = ContainerID.random()
        let resolved = try ResolvedConfiguration(
            settings: settings,
            image: defaults,
            id: id,
            hostName: host.name,
            borrowed: borrowed
        )
        let layout = try await cgroupLayout()
        let draft = ContainerRow(
            id: id,
            name: wanted?.text ?? "",
            state: .creating,
            imageID: image.id,
            settings: settings,
            resolved: resolved,
            createdAtUnixNanos: Clock.wallNanos,
            requestKey: key,
            isSettled: settings.autoRemove,
            boot: boot,
            isLaunched: launch != nil
        )
        let (row, startFailure) = try await whileBusy(with: id) {
            do { return try await build(draft, launch, cgroupLayout: layout) } catch {
                await undo(draft)
                throw error
            }
        }
        if let startFailure { throw startFailure }
        return creation(of: row, cgroupLayout: layout)
    }

    func creation(of row: ContainerRow, cgroupLayout: String) -> Creation {
        let warnings = SettingsWarnings(settings: row.settings, host: host, cgroupLayout: cgroupLayout)
        return Creation(id: row.id, name: row.name, warnings: warnings.texts)
    }

    private func insert(_ draft: ContainerRow) async throws -> ContainerRow {
        // Not cancellable: an answer that is lost would leave a row that nobody undoes before the next repair.
        let row = try await outlivingCancellation { [database] in
            try await database.write(for: nil) { db in
                var row = draft
                if row.name.isEmpty { row.name = try Engine.unusedName(db) }
                try database.insert(row, db)
                return row
            }
        }
        faults.reach("engine.create.row-written")
        return row
    }

    /// - Returns: Its row; and why its program was not executed, the container being there.
    private func build(
        _ draft: ContainerRow,
        _ launch: Launch?,
        cgroupLayout: String
    ) async throws -> (ContainerRow, (any Error)?) {
        async let prepared = prepareSnapshot(of: draft)
        // The request is on its way before this thread is busy with the row.
        await Task.yield()
        faults.reach("engine.create.snapshot-asked")
        let row = try await insert(draft)
        async let isOnDisk: Void = sync(row)
        async let planned = mayBlock { [self] in try self.order(row, cgroupLayout: cgroupLayout) }
        let snapshot = try await prepared
        faults.reach("engine.create.snapshot-prepared")
        var order = try await planned
        order.rootMounts = snapshot.mounts
        // A power failure must not leave what others have on the disk of it without a row.
        try await isOnDisk
        faults.reach("engine.create.row-synced")
        if let launch { return (row, try await self.launch(row, order, launch)) }
        _ = try await supervisor.create(order)
        faults.reach("engine.create.supervisor-created")
        try Task.checkCancellation()
        try await publish(row)
        return (row, nil)
    }

    private func prepareSnapshot(of draft: ContainerRow) async throws -> PreparedSnapshot {
        try await images.prepareSnapshot(
            draft.id,
            of: draft.imageID,
            called: draft.settings.image,
            draft.settings.autoRemove ? .transient : .provisional
        )
    }

    /// Waits until the disk has its row. Of one that removes itself nobody leaves anything there.
    private func sync(_ row: ContainerRow) async throws {
        guard !row.settings.autoRemove else { return }
        try await mayBlock { [database] in try database.sync() }
    }

    /// Looks at what it names of the host, writes its files, and says what the supervisor is to make: all but the root.
    func order(_ row: ContainerRow, cgroupLayout: String) throws -> ContainerOrder {
        try row.settings.makeBindSources()
        try checkInitProgram(row.settings)
        try NetworkFiles(directory: filesDirectory(of: row.id)).write(
            hostname: row.resolved.hostname,
            settings: row.settings
        )
        faults.reach("engine.create.files-written")
        let specification = try SpecificationBuilder(
            settings: row.settings,
            resolved: row.resolved,
            files: networkFiles(of: row),
            host: host,
            cgroupLayout: cgroupLayout
        ).specification()
        return ContainerOrder(
            id: row.id,
            specification: specification,
            rootMounts: [],
            opensStdin: row.settings.opensStdin,
            stdinOnce: row.settings.stdinOnce,
            restart: row.settings.restart,
            autoRemove: row.settings.autoRemove,
            isProvisional: !row.settings.autoRemove,
            stopSignal: try ContainerSignal(row.resolved.stopSignal).number,
            stopTimeoutMillis: UInt32(clamping: UInt64(row.resolved.stopTimeoutSeconds) * 1000),
            output: try LogPlan(row.settings.log).output,
            joined: row.settings.joinedNamespaces,
            cgroupParent: row.settings.cgroupParent,
            health: try row.resolved.health.flatMap { health throws(EngineError) in
                try HealthPlan(health, over: nil).order
            }
        )
    }

    /// Its own; or, on another container's network, that container's.
    func networkFiles(of row: ContainerRow) -> NetworkFiles {
        NetworkFiles(directory: filesDirectory(of: row.settings.networkContainer ?? row.id))
    }

    private func checkInitProgram(_ settings: ContainerSettings) throws(EngineError) {
        guard settings.process.hasInit, !Files.exists(host.initProgram) else { return }
        throw .invalidField(
            "init",
            "the program of --init is not there: \(host.initProgram)",
            advice: "install petrel-container-init beside petrel-engine"
        )
    }

    private func publish(_ row: ContainerRow) async throws {
        try await outlivingCancellation { [database] in
            try await database.write(durably: !row.settings.autoRemove) { db in
                guard try Engine.publish(db, row, at: Clock.wallNanos) else {
                    throw EngineError.database("the row of \(row.id) went away while it was being made")
                }
            }
        }
        faults.reach("engine.create.row-published")
        changes.announce()
        keepSoon(row)
    }

    /// From here on users see it.
    /// - Parameter wallNanos: Of the event that tells of it: not after that of the start.
    /// - Returns: Whether it was not visible yet.
    static func publish(_ db: Database, _ row: ContainerRow, at wallNanos: Int64) throws -> Bool {
        guard try ContainerRow.move(db, row.id, from: .creating, to: .created) else { return false }
        try EventTable.insert(db, EngineEvent(row, "create", at: wallNanos))
        return true
    }

    /// Takes back what `create` did. What cannot be taken back now stays recorded, and repair does it later.
    func undo(_ row: ContainerRow) async {
        do {
            try await outlivingCancellation { [self] in
                await giveUp(row)
                try await dismantle(row)
            }
        } catch {
            logger.warning(
                "could not undo a container's creation yet",
                metadata: ["id": "\(row.id)", "error": "\(error)"]
            )
        }
    }

    /// The journal may have made it visible. Where this cannot be written, a power failure may bring it back.
    private func giveUp(_ row: ContainerRow) async {
        do {
            try await database.write(durably: !row.settings.autoRemove, for: .removal) { db in
                try ContainerRow.giveUp(db, row.id)
            }
        } catch {
            logger.warning(
                "could not write down that a container's creation has failed",
                metadata: ["id": "\(row.id)", "error": "\(error)"]
            )
        }
    }

    func image(_ reference: String) async throws -> StoredImage {
        guard !reference.isEmpty else { throw EngineError.invalidField("image", "no image is named") }
        do throws(PeerError) { return try await images.image(reference) } catch {
            guard error.kind == .notFound else { throw error }
            throw EngineError.imageNotFound(reference)
        }
    }

    /// - Parameter platform: It must be for this one; empty: any.
    func image(_ reference: String, for platform: String) async throws -> StoredImage {
        let wanted = try ImagePlatform(platform)
        let image = try await image(reference)
        try wanted.check(image, called: reference)
        return image
    }
}

extension EngineEvent {
    init(_ row: ContainerRow, _ action: String, at wallNanos: Int64) {
        self.init(
            type: .container,
            action: action,
            actor: row.id.text,
            attributes: row.eventAttributes,
            wallUnixNanos: wallNanos
        )
    }
}
