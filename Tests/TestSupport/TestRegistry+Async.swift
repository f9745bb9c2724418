// SPDX-License-Identifier: Apache-2.0

/// A registry for the time of an asynchronous `body`.
package func withRegistry<Result>(
    isolation: isolated (any Actor)? = #isolation,
    access: TestRegistry.Access = .open,
    _ body: (TestRegistry) async throws -> Result
) async throws -> Result {
    try await withTemporaryDirectory { directory in
        let registry = try TestRegistry(directory: directory, encrypted: false, access: access)
        defer { try? registry.end() }
        return try await body(registry)
    }
}
