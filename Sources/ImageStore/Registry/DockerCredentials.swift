// SPDX-License-Identifier: Apache-2.0
internal import JSON

extension RegistryCredentials {
    /// From Docker's `config.json`: `{"auths": {"HOST": {"auth": "BASE64 OF USER:PASSWORD"}}}`.
    ///
    /// Docker Hub is `https://index.docker.io/v1/` there. Nil without an entry that can be read.
    package init?(dockerConfiguration bytes: [UInt8], registry: String) {
        let hosts =
            registry == "docker.io"
            ? ["https://index.docker.io/v1/", "docker.io"] : [registry, "https://" + registry]
        guard let entries = (try? JSON(parsing: bytes))?["auths"],
            let entry = hosts.lazy.compactMap({ entries[$0] }).first
        else { return nil }
        if let user = entry["username"]?.string, let password = entry["password"]?.string {
            self.init(user: user, password: password)
            return
        }
        guard let text = entry["auth"]?.string, let decoded = Base64.decode(text),
            let colon = decoded.firstIndex(of: 0x3a)
        else { return nil }
        self.init(
            user: String(decoding: decoded[..<colon], as: UTF8.self),
            password: String(decoding: decoded[(colon + 1)...], as: UTF8.self)
        )
    }
}
