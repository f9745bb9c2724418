// SPDX-License-Identifier: Apache-2.0
internal import JSON
internal import OCI

/// `os[/architecture[/variant]]`: what an image is asked to be for.
struct ImagePlatform: Hashable {
    let text: String
    let os: String
    /// Nil: any.
    private let processor: Platform?

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
        processor =
            parts.count > 1
            ? Platform(os: os, architecture: parts[1], variant: parts.count > 2 ? parts[2] : "") : nil
    }

    /// - Throws: `.platformMismatch` when the image is for another.
    func check(_ image: StoredImage, called reference: String) throws(EngineError) {
        guard !os.isEmpty else { return }
        let variant = (try? JSON(parsing: image.configuration))?["variant"]?.string ?? ""
        let actual = Platform(os: image.os, architecture: image.architecture, variant: variant)
        guard processor.map({ $0.preference(for: actual) != nil }) ?? (os == actual.os) else {
            throw .platformMismatch(reference, wanted: text, actual: "\(actual)")
        }
    }
}
