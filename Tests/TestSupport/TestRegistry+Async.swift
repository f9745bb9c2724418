// SPDX-License-Identifier: Apache-2.0

/// A registry for the time of an asynchronous `body`.
package func withRegistry<Result>(
    isolation: isolated (any Actor)? = #isolation,
    asksWho: Bool = false,
    _ body: (TestRegistry) async throws -> Result
) async throws -> Result {
    try await withTemporaryDirectory { directory in
        let registry = try TestRegistry(directory: directory, encrypted: false, asksWho: asksWho)
        defer { try? registry.end() }
        return try await body(registry)
    }
}
