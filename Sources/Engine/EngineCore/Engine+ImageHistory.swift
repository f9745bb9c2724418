// SPDX-License-Identifier: Apache-2.0
internal import JSON
internal import OCI
internal import System

/// How images were made, and which nobody needs.
extension Engine {
    /// One step of an image's making.
    package struct ImageStep: Hashable, Sendable {
        package var createdAtUnixNanos: Int64 = 0
        package var createdBy = ""
        package var comment = ""
        package var sizeBytes: UInt64 = 0
    }

    package struct PrunedImages: Hashable, Sendable {
        package var untagged: [String] = []
        package var deleted: [String] = []
        package var reclaimedBytes: UInt64 = 0
    }

    /// The image and its steps, newest first.
    /// - Parameter platform: It must be for this one; empty: any.
    /// - Throws: `.imageNotFound`, `.badImage`, `.platformMismatch`, `.invalidField`.
    package func history(
        of reference: String,
        platform: String = ""
    ) async throws -> (image: StoredImage, steps: [ImageStep]) {
        let image = try await image(reference, for: platform)
        let document: JSON
        do { document = try JSON(parsing: image.configuration) } catch {
            throw EngineError.badImage(reference, "its configuration is not JSON: \(error)")
        }
        return (image, Self.steps(document["history"]?.array ?? [], layerBytes: image.layerBytes))
    }

    /// - Parameter layerBytes: Lowest first; layers of which the history says nothing are steps of their own.
    static func steps(_ history: [JSON], layerBytes: [UInt64]) -> [ImageStep] {
        var sizes = layerBytes[...]
        var steps: [ImageStep] = []
        for entry in history {
            var step = ImageStep()
            step.createdAtUnixNanos = entry["created"]?.string.flatMap(OCI.Timestamp.unixNanos) ?? 0
            step.createdBy = entry["created_by"]?.string ?? ""
            step.comment = entry["comment"]?.string ?? ""
            if entry["empty_layer"]?.bool != true { step.sizeBytes = sizes.popFirst() ?? 0 }
            steps.append(step)
        }
        for size in sizes { steps.append(ImageStep(sizeBytes: size)) }
        return steps.reversed()
    }

    /// Removes images that no container uses, one after the other: each wholly or not at all.
    /// - Parameter all: Also those that have a tag.
    /// - Throws: `.badFilter`.
    package func pruneImages(all: Bool, filters: [String]) async throws -> PrunedImages {
        // Here `dangling=false` asks for all, as with Docker.
        let isForAll = try ImageFilter(filters, now: 0).dangling == false
        let filter = try await imageFilter(filters.filter { !$0.hasPrefix("dangling=") })
        let takesTagged = all || isForAll
        let rows = try await database.containers()
        let used = Set(rows.map(\.imageID))
        var result = PrunedImages()
        for image in try await images.images(matching: "") {
            guard !used.contains(image.id), takesTagged || image.references.isEmpty,
                filter.visible(image) != nil
            else { continue }
            let pruned = try await images.prune(image.id, untaggedOnly: !takesTagged)
            faults.reach("engine.image-prune.pruned")
            result.untagged += pruned.removal.untagged
            result.deleted += pruned.removal.deleted
            result.reclaimedBytes += pruned.reclaimedBytes
        }
        return result
    }

    /// What lies on the disk.
    package struct DiskUsage: Sendable {
        package let images: [ImageUse]
        package let usage: ImageUsage
        package let containers: [Summary]
    }

    package func diskUsage() async throws -> DiskUsage {
        let usage = try await images.usage(containers: true)
        let containers = try await list(all: true, filters: []).map { summary in
            var summary = summary
            summary.written = usage.containers[summary.id.text]
            return summary
        }
        return DiskUsage(
            images: try await images(matching: "", filters: []),
            usage: usage,
            containers: containers
        )
    }
}
