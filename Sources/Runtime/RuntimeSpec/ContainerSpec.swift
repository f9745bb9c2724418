// SPDX-License-Identifier: Apache-2.0
package import JSON

/// An OCI runtime configuration (`config.json`) for Linux.
///
/// Values are checked where they are read, so a `ContainerSpec` holds no impossible ones; fields that Petrel does
/// not know are passed over. Source: opencontainers/runtime-spec, config.md and config-linux.md.
package struct ContainerSpec: Hashable, Sendable {
    package struct Root: Hashable, Sendable {
        package var path: String
        package var isReadOnly: Bool

        package init(path: String, isReadOnly: Bool = false) {
            self.path = path
            self.isReadOnly = isReadOnly
        }
    }

    package var ociVersion: String
    package var process: ProcessSpec?
    package var root: Root?
    package var hostname: String
    package var domainname: String
    package var mounts: [MountSpec]
    package var annotations: [String: String]
    package var linux: LinuxSpec
    /// As given; nothing here runs them.
    package var hooks: JSON?

    package init(
        ociVersion: String = "1.2.0",
        process: ProcessSpec? = nil,
        root: Root? = nil,
        hostname: String = "",
        domainname: String = "",
        mounts: [MountSpec] = [],
        annotations: [String: String] = [:],
        linux: LinuxSpec = LinuxSpec()
    ) {
        self.ociVersion = ociVersion
        self.process = process
        self.root = root
        self.hostname = hostname
        self.domainname = domainname
        self.mounts = mounts
        self.annotations = annotations
        self.linux = linux
        self.hooks = nil
    }

    /// Reads a whole `config.json`.
    /// - Throws: `SpecError`: text that is not JSON (path empty), or a value that is wrong (its path).
    package init(parsing text: [UInt8]) throws(SpecError) {
        try self.init(node: SpecNode(JSON.forSpec(text), path: ""))
    }

    package init(_ json: JSON) throws(SpecError) { try self.init(node: SpecNode(json, path: "")) }

    private init(node: SpecNode) throws(SpecError) {
        guard node.isPresent else { throw node.error("must be an object") }
        try node.checkObject()
        ociVersion = try node["ociVersion"].requiredString()
        process = try node["process"].object(ProcessSpec.init(node:))
        root = try node["root"].object { node throws(SpecError) in
            Root(path: try node["path"].requiredString(), isReadOnly: try node["readonly"].bool() ?? false)
        }
        hostname = try node["hostname"].string() ?? ""
        domainname = try node["domainname"].string() ?? ""
        mounts = try node["mounts"].list(MountSpec.init(node:))
        annotations = try node["annotations"].texts()
        linux = try node["linux"].object(LinuxSpec.init(node:)) ?? LinuxSpec()
        hooks = node["hooks"].value
    }

    /// The value as `config.json`; reading that gives an equal value.
    package var json: JSON {
        var object: JSON.Object = ["ociVersion": .string(ociVersion)]
        object.add("process", process?.object)
        if let root {
            var member: JSON.Object = ["path": .string(root.path)]
            member.add("readonly", root.isReadOnly)
            object.add("root", member)
        }
        object.add("hostname", hostname)
        object.add("domainname", domainname)
        object.add("mounts", mounts.map { .object($0.object) })
        object["hooks"] = hooks
        object.add("annotations", annotations)
        object.add("linux", linux.object)
        return .object(object)
    }
}

extension JSON {
    /// Parses the text of a specification; what the parser says becomes a `SpecError` without a path.
    static func forSpec(_ text: [UInt8]) throws(SpecError) -> JSON {
        do throws(JSONError) {
            return try JSON(parsing: text, maximumSize: 4 << 20)
        } catch {
            throw SpecError(path: "", problem: error.description)
        }
    }
}
