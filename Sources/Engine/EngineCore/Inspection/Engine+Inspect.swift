// SPDX-License-Identifier: Apache-2.0
internal import JSON

/// One container or image with everything that is known of it, as JSON with the Docker API's fields.
extension Engine {
    /// - Parameter sizes: Also how much it has written, which takes time.
    /// - Throws: `.containerNotFound`, `.ambiguousPrefix`.
    package func inspectContainer(_ reference: String, sizes: Bool = false) async throws -> [UInt8] {
        let row = try await row(reference)
        let state = try await state(of: row.id)
        let execs = try await database.read { db in try ExecRow.ids(db, of: row.id) }
        let image = try? await images.image(row.imageID)
        let upper = try? await images.snapshot(row.id)
        let written = sizes ? try await images.written(by: row.id) : nil
        let inspection = ContainerInspection(
            row: row,
            state: state,
            execs: execs,
            files: networkFiles(of: row),
            snapshot: upper,
            written: written,
            platform: image?.os ?? "linux",
            cgroupLayout: try await cgroupLayout(),
            host: host
        )
        return inspection.json.serialized()
    }

    /// - Parameter platform: It must be for this one; empty: any.
    /// - Throws: `.imageNotFound`, `.platformMismatch`, `.invalidField`.
    package func inspectImage(_ reference: String, platform: String = "") async throws -> [UInt8] {
        try ImageInspection(image: try await image(reference, for: platform)).json().serialized()
    }
}

extension JSON {
    static func texts(_ texts: [String]) -> JSON { .array(texts.map(JSON.string)) }

    /// An object with its keys in order.
    static func map(_ texts: [String: String]) -> JSON {
        .object(Object(texts.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
    }

    /// An object with empty objects, as the Docker API writes sets.
    static func set(_ names: [String]) -> JSON {
        .object(Object(names.sorted().map { ($0, .object(Object())) }))
    }
}
