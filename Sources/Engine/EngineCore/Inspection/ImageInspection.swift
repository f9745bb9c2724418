// SPDX-License-Identifier: Apache-2.0
internal import JSON

/// The Docker API's `ImageInspect` of an image.
struct ImageInspection {
    let image: StoredImage

    /// - Throws: `.badImage` when its configuration cannot be read.
    func json() throws(EngineError) -> JSON {
        let document: JSON
        do { document = try JSON(parsing: image.configuration) } catch {
            throw .badImage(image.references.first ?? image.id, "its configuration is not JSON: \(error)")
        }
        return [
            "Id": .string(image.id),
            "RepoTags": .texts(image.references),
            "RepoDigests": .texts(image.repositoryDigests),
            "Parent": "",
            "Comment": document["comment"] ?? "",
            "Created": .string(Moment.textOrZero(image.createdAtUnixNanos)),
            "Author": document["author"] ?? "",
            "Config": document["config"] ?? [:],
            "Architecture": .string(image.architecture),
            "Variant": document["variant"] ?? "",
            "Os": .string(image.os),
            "Size": .integer(Int64(clamping: image.sizeBytes)),
            "GraphDriver": ["Name": "overlay", "Data": .null],
            "RootFS": ["Type": "layers", "Layers": .texts(image.diffIDs)],
            "Metadata": ["LastTagTime": "0001-01-01T00:00:00Z"],
            "Descriptor": ["digest": .string(image.manifestDigest)],
        ]
    }
}
