// SPDX-License-Identifier: Apache-2.0
internal import JSON

/// The `linux` object of a specification.
package struct LinuxSpec: Hashable, Sendable {
    package struct Namespace: Hashable, Sendable {
        package enum Kind: String, CaseIterable, Sendable {
            case pid, network, mount, ipc, uts, user, cgroup, time
        }

        package var kind: Kind
        /// A namespace file to join; empty: a new one.
        package var path: String

        package init(_ kind: Kind, path: String = "") {
            self.kind = kind
            self.path = path
        }
    }

    package struct IDMapping: Hashable, Sendable {
        package var containerID: UInt32
        package var hostID: UInt32
        package var size: UInt32

        package init(containerID: UInt32, hostID: UInt32, size: UInt32) {
            self.containerID = containerID
            self.hostID = hostID
            self.size = size
        }
    }

    package enum Propagation: String, CaseIterable, Sendable {
        case `private`, rprivate, shared, rshared, slave, rslave, unbindable, runbindable
    }

    package var namespaces: [Namespace]
    package var uidMappings: [IDMapping]
    package var gidMappings: [IDMapping]
    package var devices: [Device]
    package var cgroupsPath: String
    package var resources: Resources
    package var seccomp: SeccompSpec?
    package var maskedPaths: [String]
    package var readonlyPaths: [String]
    package var sysctl: [String: String]
    /// nil: slave, recursively.
    package var rootfsPropagation: Propagation?

    package init(
        namespaces: [Namespace] = [],
        devices: [Device] = [],
        cgroupsPath: String = "",
        resources: Resources = Resources(),
        seccomp: SeccompSpec? = nil,
        maskedPaths: [String] = [],
        readonlyPaths: [String] = [],
        sysctl: [String: String] = [:],
        rootfsPropagation: Propagation? = nil
    ) {
        self.namespaces = namespaces
        self.uidMappings = []
        self.gidMappings = []
        self.devices = devices
        self.cgroupsPath = cgroupsPath
        self.resources = resources
        self.seccomp = seccomp
        self.maskedPaths = maskedPaths
        self.readonlyPaths = readonlyPaths
        self.sysctl = sysctl
        self.rootfsPropagation = rootfsPropagation
    }

    /// The namespace entry of a kind; nil: the container shares the host's.
    package func namespace(_ kind: Namespace.Kind) -> Namespace? { namespaces.first { $0.kind == kind } }

    init(node: SpecNode) throws(SpecError) {
        namespaces = try node["namespaces"].list { node throws(SpecError) in
            try node.checkObject()
            let path = try node["path"].string() ?? ""
            guard path.isEmpty || path.hasPrefix("/") else {
                throw node["path"].error("must be an absolute path")
            }
            return Namespace(try node["type"].requiredChoice(), path: path)
        }
        for (index, entry) in namespaces.enumerated()
        where namespaces[..<index].contains(where: { $0.kind == entry.kind }) {
            throw SpecError(
                path: "\(node.path).namespaces[\(index)].type",
                problem: "\(entry.kind.rawValue) is given twice"
            )
        }
        uidMappings = try node["uidMappings"].list(IDMapping.init(node:))
        gidMappings = try node["gidMappings"].list(IDMapping.init(node:))
        devices = try node["devices"].list(Device.init(node:))
        cgroupsPath = try node["cgroupsPath"].string() ?? ""
        resources = try node["resources"].object(Resources.init(node:)) ?? Resources()
        seccomp = try node["seccomp"].object(SeccompSpec.init(node:))
        maskedPaths = try Self.absolutePaths(node["maskedPaths"])
        readonlyPaths = try Self.absolutePaths(node["readonlyPaths"])
        sysctl = try node["sysctl"].texts()
        rootfsPropagation = try node["rootfsPropagation"].choice()
    }

    private static func absolutePaths(_ node: SpecNode) throws(SpecError) -> [String] {
        try node.list { node throws(SpecError) in
            let path = try node.requiredString()
            guard path.hasPrefix("/") else { throw node.error("must be an absolute path") }
            return path
        }
    }

    var object: JSON.Object {
        var object = JSON.Object()
        object.add(
            "namespaces",
            namespaces.map {
                var entry: JSON.Object = ["type": .string($0.kind.rawValue)]
                entry.add("path", $0.path)
                return .object(entry)
            }
        )
        object.add("uidMappings", uidMappings.map { .object($0.object) })
        object.add("gidMappings", gidMappings.map { .object($0.object) })
        object.add("devices", devices.map { .object($0.object) })
        object.add("cgroupsPath", cgroupsPath)
        object.add("resources", resources.object)
        object.add("seccomp", seccomp?.object)
        object.add("maskedPaths", maskedPaths)
        object.add("readonlyPaths", readonlyPaths)
        object.add("sysctl", sysctl)
        object.add("rootfsPropagation", rootfsPropagation?.rawValue)
        return object
    }
}

extension LinuxSpec.IDMapping {
    init(node: SpecNode) throws(SpecError) {
        try node.checkObject()
        containerID = try node["containerID"].requiredNumber()
        hostID = try node["hostID"].requiredNumber()
        size = try node["size"].requiredNumber()
    }

    var object: JSON.Object {
        [
            "containerID": .integer(Int64(containerID)), "hostID": .integer(Int64(hostID)),
            "size": .integer(Int64(size)),
        ]
    }
}
