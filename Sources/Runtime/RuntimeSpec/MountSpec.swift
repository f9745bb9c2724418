// SPDX-License-Identifier: Apache-2.0
internal import JSON

/// One mount: of a specification, or of a container's root.
package struct MountSpec: Hashable, Sendable {
    /// In the container; empty for its root itself.
    package var destination: String
    /// The file system's name, or `bind`; empty means bind when the options say so.
    package var type: String
    package var source: String
    /// As for mount(8); what is no flag goes to the file system.
    package var options: [String]

    package init(destination: String, type: String = "", source: String = "", options: [String] = []) {
        self.destination = destination
        self.type = type
        self.source = source
        self.options = options
    }

    /// Whether an existing file or directory is mounted, not a file system.
    package var isBind: Bool { type == "bind" || options.contains("bind") || options.contains("rbind") }

    init(node: SpecNode) throws(SpecError) {
        try node.checkObject()
        destination = try node["destination"].requiredString()
        type = try node["type"].string() ?? ""
        source = try node["source"].string() ?? ""
        options = try node["options"].strings()
        for key in ["uidMappings", "gidMappings"] where node[key].isPresent {
            throw node[key].error("id-mapped mounts are not supported")
        }
        guard isBind || !type.isEmpty else { throw node["type"].error("must be given") }
        guard !isBind || !source.isEmpty else { throw node["source"].error("must be given for a bind mount") }
    }

    var object: JSON.Object {
        var object: JSON.Object = ["destination": .string(destination)]
        object.add("type", type)
        object.add("source", source)
        object.add("options", options)
        return object
    }
}
