// SPDX-License-Identifier: Apache-2.0
package import JSON

extension DockerSeccomp {
    /// A profile in Docker's format (moby/profiles, `seccomp.go`), for a container with these capabilities: the rules
    /// whose `includes` and `excludes` hold, for this machine's architecture and kernel.
    /// - Throws: `SpecError` for what is no profile.
    package static func profile(
        _ document: JSON,
        capabilities: Set<Capability>,
        kernelRelease: String
    ) throws(SpecError) -> SeccompSpec {
        let node = SpecNode(document, path: "seccomp")
        guard node.isPresent else { throw node.error("must be an object") }
        try node.checkObject()
        var object = JSON.Object()
        for key in ["defaultAction", "defaultErrnoRet", "flags", "listenerPath"] {
            object[key] = node[key].value
        }
        guard !(node["archMap"].isPresent && node["architectures"].isPresent) else {
            throw node.error("architectures and archMap exclude each other")
        }
        object["architectures"] = try architectures(node)
        let conditions = Conditions(capabilities: capabilities, kernel: version(kernelRelease))
        object["syscalls"] = .array(
            try node["syscalls"].list { node throws(SpecError) in
                try rule(node, conditions)
            }.compactMap { $0 }
        )
        return try SeccompSpec(.object(object))
    }

    private struct Conditions {
        let capabilities: Set<Capability>
        let kernel: (Int, Int)
    }

    private static func architectures(_ node: SpecNode) throws(SpecError) -> JSON? {
        guard node["archMap"].isPresent else { return node["architectures"].value }
        let entries = try node["archMap"].list { node throws(SpecError) in
            (name: try node["architecture"].requiredString(), others: try node["subArchitectures"].strings())
        }
        // Of another machine's there is nothing to say.
        let own = architectureName
        return .array(
            entries.filter { $0.name == own }.flatMap { [$0.name] + $0.others }.map(JSON.string)
        )
    }

    /// Nil for a rule that does not concern this container.
    private static func rule(_ node: SpecNode, _ conditions: Conditions) throws(SpecError) -> JSON? {
        try node.checkObject()
        guard try holds(node["includes"], conditions, wanted: true),
            try holds(node["excludes"], conditions, wanted: false)
        else { return nil }
        var object = JSON.Object()
        for key in ["names", "action", "errnoRet", "args"] { object[key] = node[key].value }
        if let name = try node["name"].string(), !name.isEmpty {
            guard try node["names"].strings().isEmpty else {
                throw node.error("name and names exclude each other")
            }
            object["names"] = [.string(name)]
        }
        return .object(object)
    }

    /// Inclusions must all hold, of exclusions none.
    private static func holds(_ node: SpecNode, _ conditions: Conditions, wanted: Bool) throws(SpecError)
        -> Bool
    {
        try node.checkObject()
        let names = try node["caps"].strings()
        let held = names.map { name in
            Capability(rawValue: name).map(conditions.capabilities.contains) ?? false
        }
        let architectures = try node["arches"].strings()
        let minimum = try node["minKernel"].string()
        if wanted {
            return held.allSatisfy { $0 } && (architectures.isEmpty || architectures.contains(architecture))
                && (minimum.map { conditions.kernel >= version($0) } ?? true)
        }
        return !held.contains(true) && !architectures.contains(architecture)
            && !(minimum.map { conditions.kernel >= version($0) } ?? false)
    }

    #if arch(arm64)
        private static let architectureName = "SCMP_ARCH_AARCH64"
    #else
        private static let architectureName = "SCMP_ARCH_X86_64"
    #endif
}
