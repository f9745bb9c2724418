// SPDX-License-Identifier: Apache-2.0
internal import JSON

/// An operating system and processor, in the words of Go and the OCI.
package struct Platform: Hashable, Sendable, CustomStringConvertible {
    package let os: String
    package let architecture: String
    /// `v8` or the like; empty where there is none.
    package let variant: String

    /// Normalises what people and tools write: `x86_64` is `amd64`, `aarch64` is `arm64`, and `arm64/v8` plain `arm64`.
    package init(os: String, architecture: String, variant: String = "") {
        self.os = os.lowercased()
        var architecture = architecture.lowercased()
        var variant = variant.lowercased()
        switch architecture {
        case "x86_64", "x86-64": architecture = "amd64"
        case "i386", "i486", "i586", "i686": architecture = "386"
        case "aarch64": architecture = "arm64"
        case "armhf": (architecture, variant) = ("arm", "v7")
        case "armel": (architecture, variant) = ("arm", "v6")
        default: break
        }
        if architecture == "arm64", variant == "v8" || variant == "8" { variant = "" }
        if architecture == "amd64", variant == "v1" { variant = "" }
        if architecture == "arm" {
            if variant.isEmpty { variant = "v7" } else if !variant.hasPrefix("v") { variant = "v" + variant }
        }
        self.architecture = architecture
        self.variant = variant
    }

    /// From `os/architecture[/variant]`.
    package init(_ text: String) throws(OCIError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let isValid =
            (2...3).contains(parts.count)
            && parts.allSatisfy { part in
                !part.isEmpty && part.utf8.count <= 32
                    && part.utf8.allSatisfy {
                        $0.isLetter || $0.isDigit || $0 == 0x5f || $0 == 0x2d || $0 == 0x2e
                    }
            }
        guard isValid else { throw .invalidPlatform(text) }
        self.init(
            os: String(parts[0]),
            architecture: String(parts[1]),
            variant: parts.count == 3 ? String(parts[2]) : ""
        )
    }

    /// What this program was compiled for.
    package static var current: Platform {
        #if arch(x86_64)
            Platform(os: "linux", architecture: "amd64")
        #elseif arch(arm64)
            Platform(os: "linux", architecture: "arm64")
        #else
            #error("name this architecture as Go does")
        #endif
    }

    package var description: String { os + "/" + architecture + (variant.isEmpty ? "" : "/" + variant) }

    /// How well something built for `candidate` runs here: lower is better, nil is not at all.
    package func preference(for candidate: Platform) -> Int? {
        guard candidate.os == os else { return nil }
        guard candidate.architecture == architecture else { return nil }
        if candidate.variant == variant { return 0 }
        guard let wanted = Self.level(variant), let offered = Self.level(candidate.variant) else {
            return nil
        }
        return offered <= wanted ? 1 + wanted - offered : nil
    }

    /// The number in `v7`; a variant that is not named counts as the lowest.
    private static func level(_ variant: String) -> Int? {
        // As a byte: others write variants, and levels are added and subtracted.
        variant.isEmpty ? 0 : UInt8(variant.dropFirst(variant.hasPrefix("v") ? 1 : 0)).map(Int.init)
    }
}

extension Platform {
    /// The member `platform` of a descriptor, or the top of a configuration; nil when it names none.
    init?(json: JSON) {
        guard let os = json["os"]?.string, let architecture = json["architecture"]?.string, !os.isEmpty,
            !architecture.isEmpty
        else { return nil }
        self.init(os: os, architecture: architecture, variant: json["variant"]?.string ?? "")
    }
}
