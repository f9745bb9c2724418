// SPDX-License-Identifier: Apache-2.0

/// `os[/architecture[/variant]]`: what an image is asked to be for.
struct ImagePlatform: Hashable {
    let text: String
    let os: String
    let architecture: String

    /// - Throws: `.invalidField` for what is no platform; empty is any.
    init(_ text: String) throws(EngineError) {
        self.text = text
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { $0.lowercased() }
        let isPlain = parts.allSatisfy { part in
            !part.isEmpty && part.utf8.count <= 64
                && part.utf8.allSatisfy {
                    0x30...0x39 ~= $0 || 0x61...0x7a ~= $0 || $0 == 0x2d || $0 == 0x5f || $0 == 0x2e
                }
        }
        guard text.isEmpty || parts.count <= 3 && isPlain else {
            throw .invalidField("platform", "invalid platform \"\(text)\"", advice: "write linux/amd64")
        }
        os = text.isEmpty ? "" : parts[0]
        let named = parts.count > 1 ? parts[1] : ""
        architecture = ["x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64"][named] ?? named
    }

    /// - Throws: `.platformMismatch` when the image is for another.
    func check(_ image: StoredImage, called reference: String) throws(EngineError) {
        let isFitting =
            (os.isEmpty || os == image.os) && (architecture.isEmpty || architecture == image.architecture)
        guard isFitting else {
            throw .platformMismatch(reference, wanted: text, actual: "\(image.os)/\(image.architecture)")
        }
    }
}
