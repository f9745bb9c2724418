// SPDX-License-Identifier: Apache-2.0
import Registry
import System

/// Users and passwords by registry, in a file of Docker's `config.json` format. Read anew for each pull, so that a login
/// needs no restart.
struct CredentialsFile: Sendable {
    let path: String?

    /// Nil without a file, without an entry, or when the file cannot be read.
    func credentials(for registry: String) -> RegistryCredentials? {
        guard let path, let bytes = try? Files.contents(of: path, limit: 1 << 20) else { return nil }
        return RegistryCredentials(dockerConfiguration: bytes, registry: registry)
    }
}
