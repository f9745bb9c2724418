// SPDX-License-Identifier: Apache-2.0
internal import System

extension Engine {
    private static let changesAtOnce = 512
    /// More changes than that are no list for anybody.
    private static let changeLimit = 2_000_000

    /// Hands over what a container has changed in its image's files, in pieces.
    /// - Throws: `.containerNotFound`, `.file`; or a `PeerError`.
    package func diff(
        of reference: String,
        _ receive: ([FileChange]) async throws -> Void
    ) async throws {
        let row = try await usableRow(reference)
        let snapshot = try await images.snapshot(row.id)
        let lowers = snapshot.mounts.flatMap(\.options).filter { $0.hasPrefix("lowerdir+=") }.map {
            String($0.dropFirst("lowerdir+=".count))
        }
        var changes: [FileChange] = []
        do throws(SystemError) {
            try ChangeWalk(upper: snapshot.upperDirectory, lowers: lowers) { change in
                if changes.count < Engine.changeLimit { changes.append(change) }
            }.run()
        } catch {
            throw EngineError.file(error)
        }
        var rest = changes[...]
        while !rest.isEmpty {
            try await receive(Array(rest.prefix(Engine.changesAtOnce)))
            rest = rest.dropFirst(Engine.changesAtOnce)
        }
    }
}
