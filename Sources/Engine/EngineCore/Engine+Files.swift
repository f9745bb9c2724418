// SPDX-License-Identifier: Apache-2.0
internal import System

/// Files out of containers and into them; the supervisor has them, whether a container runs or not.
extension Engine {
    /// What is at a path.
    /// - Throws: `.pathNotFound`; or a `PeerError`.
    package func pathStatus(of reference: String, _ path: String) async throws -> PathStatus {
        let row = try await usableRow(reference)
        return try await naming(row) { try await supervisor.pathStatus(of: row.id, path) }
    }

    /// Hands over a tar stream of what is at a path.
    /// - Parameters:
    ///   - first: Gets what is there, before the first piece.
    ///   - receive: Suspends for as long as the reader is busy; so does the packing.
    /// - Throws: `.pathNotFound`; or a `PeerError`.
    package func readArchive(
        of reference: String,
        _ path: String,
        first: (PathStatus) async throws -> Void,
        receive: ([UInt8]) async throws -> Void
    ) async throws {
        let row = try await usableRow(reference)
        try await naming(row) {
            try await supervisor.readArchive(of: row.id, path, first: first, receive: receive)
        }
        try await record(EngineEvent(row, "archive-path", at: Clock.wallNanos))
    }

    /// Unpacks a tar stream in a directory.
    /// - Parameter next: The next piece; nil at the end.
    /// - Throws: `.pathNotFound`; or a `PeerError`.
    package func writeArchive(
        to reference: String,
        _ path: String,
        keepsKinds: Bool,
        isForUser: Bool,
        next: @Sendable () async throws -> [UInt8]?
    ) async throws {
        let row = try await usableRow(reference)
        let order = ArchiveOrder(container: row.id, path: path, keepsKinds: keepsKinds, isForUser: isForUser)
        try await naming(row) { try await supervisor.writeArchive(order, next: next) }
        try await record(EngineEvent(row, "extract-to-dir", at: Clock.wallNanos))
    }

    /// An error about a path says in which container, as its user calls it.
    private func naming<Result>(_ row: ContainerRow, _ body: () async throws -> Result) async throws -> Result
    {
        do {
            return try await body()
        } catch let error as PeerError {
            guard error.detail?.reason == "path_not_found", let path = error.detail?.path else { throw error }
            throw EngineError.pathNotFound(path, container: row.name)
        }
    }
}
