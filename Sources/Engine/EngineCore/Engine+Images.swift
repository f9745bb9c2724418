// SPDX-License-Identifier: Apache-2.0
internal import System

/// Images as the engine's users see them: the store has them, the engine knows who uses them.
extension Engine {
    package struct ImageUse: Hashable, Sendable {
        package let image: StoredImage
        /// How many containers were made from it.
        package let containers: UInt32
    }

    /// The images that a filter lets through, each with those of its names that fit.
    /// - Parameter pattern: A name, or a pattern for names; empty for all.
    /// - Throws: `.badFilter`; `.imageNotFound` for one that a filter compares with.
    package func images(matching pattern: String, filters: [String]) async throws -> [ImageUse] {
        let filter = try await imageFilter(filters + (pattern.isEmpty ? [] : ["reference=" + pattern]))
        let found = try await images.images(matching: "").compactMap { filter.visible($0) }
        let rows = try await database.containers()
        let counts = rows.reduce(into: [String: UInt32]()) { counts, row in
            counts[row.imageID, default: 0] += 1
        }
        return found.map { ImageUse(image: $0, containers: counts[$0.id] ?? 0) }
    }

    /// A filter that knows when the images that it compares with were made.
    func imageFilter(_ texts: [String]) async throws -> ImageFilter {
        var filter = try ImageFilter(texts, now: Clock.wallNanos)
        for reference in filter.before { filter.madeBefore(try await image(reference).createdAtUnixNanos) }
        for reference in filter.since { filter.madeAfter(try await image(reference).createdAtUnixNanos) }
        return filter
    }

    /// Gives an image another name, which any other image loses.
    /// - Throws: `.imageNotFound`; the store's refusal of a name that is none.
    package func tagImage(_ source: String, as target: String) async throws {
        do throws(PeerError) { try await images.tag(source, as: target) } catch {
            guard error.kind == .notFound else { throw error }
            throw EngineError.imageNotFound(source)
        }
    }

    /// Takes a name from an image, and removes it with its last one.
    /// - Parameter platform: It must be for this one; empty: any.
    /// - Throws: `.imageNotFound`, `.platformMismatch`, `.invalidField`; `.imageInUse` with the container, unless forced
    ///   while that does not run.
    package func removeImage(
        _ reference: String,
        force: Bool,
        platform: String = ""
    ) async throws -> ImageRemoval {
        let image = try await image(reference, for: platform)
        try await checkUnused(image, reference, force: force)
        faults.reach("engine.image-remove.checked")
        do throws(PeerError) { return try await images.remove(reference, force: force) } catch {
            guard error.kind == .notFound else { throw error }
            throw EngineError.imageNotFound(reference)
        }
    }

    private func checkUnused(_ image: StoredImage, _ reference: String, force: Bool) async throws {
        // One name of several may go: the image stays.
        let isByID = image.id == reference || image.id.hasPrefix("sha256:" + reference)
        if !isByID, image.references.count > 1 { return }
        let users = try await database.read { db in
            try ContainerRow.all(db).filter { $0.imageID == image.id }
        }
        guard !users.isEmpty else { return }
        let supervised = try await supervisor.list().containers
        let running = Set(supervised.filter(\.phase.isRunning).map(\.id))
        if let user = users.first(where: { running.contains($0.id) }) ?? (force ? nil : users.first) {
            let isRunning = running.contains(user.id)
            throw EngineError.imageInUse(reference, container: user.id, name: user.name, isRunning: isRunning)
        }
    }
}
