// SPDX-License-Identifier: Apache-2.0
internal import JSON

/// A device node to make in the container.
package struct Device: Hashable, Sendable {
    package enum Kind: String, CaseIterable, Sendable {
        case character = "c"
        case unbufferedCharacter = "u"
        case block = "b"
        case pipe = "p"
    }

    package var path: String
    package var kind: Kind
    package var major: UInt32
    package var minor: UInt32
    /// Permission bits; nil: 0o666.
    package var fileMode: UInt32?
    package var uid: UInt32
    package var gid: UInt32

    package init(
        path: String,
        kind: Kind = .character,
        major: UInt32 = 0,
        minor: UInt32 = 0,
        fileMode: UInt32? = nil,
        uid: UInt32 = 0,
        gid: UInt32 = 0
    ) {
        self.path = path
        self.kind = kind
        self.major = major
        self.minor = minor
        self.fileMode = fileMode
        self.uid = uid
        self.gid = gid
    }

    init(node: SpecNode) throws(SpecError) {
        try node.checkObject()
        path = try node["path"].requiredString()
        guard path.hasPrefix("/") else { throw node["path"].error("must be an absolute path") }
        kind = try node["type"].requiredChoice()
        major = try node["major"].number() ?? 0
        minor = try node["minor"].number() ?? 0
        // Some writers include the file type's bits.
        fileMode = try node["fileMode"].number(UInt32.self).map { $0 & 0o7777 }
        uid = try node["uid"].number() ?? 0
        gid = try node["gid"].number() ?? 0
    }

    var object: JSON.Object {
        var object: JSON.Object = ["path": .string(path), "type": .string(kind.rawValue)]
        object["major"] = .integer(Int64(major))
        object["minor"] = .integer(Int64(minor))
        object.add("fileMode", fileMode)
        object["uid"] = .integer(Int64(uid))
        object["gid"] = .integer(Int64(gid))
        return object
    }
}

/// A rule of the device cgroup. Rules apply in order; a rule without kind, major and minor covers all devices.
package struct DeviceRule: Hashable, Sendable {
    package enum Kind: String, CaseIterable, Sendable {
        case all = "a"
        case character = "c"
        case block = "b"
    }

    package var isAllowed: Bool
    package var kind: Kind
    /// nil: any.
    package var major: UInt32?
    package var minor: UInt32?
    /// Of `r`, `w`, `m`.
    package var access: String

    package init(
        allow: Bool,
        _ kind: Kind = .all,
        _ major: UInt32? = nil,
        _ minor: UInt32? = nil,
        access: String = "rwm"
    ) {
        self.isAllowed = allow
        self.kind = kind
        self.major = major
        self.minor = minor
        self.access = access
    }

    init(node: SpecNode) throws(SpecError) {
        try node.checkObject()
        isAllowed = try node["allow"].bool() ?? false
        kind = try node["type"].choice() ?? .all
        major = try Self.number(node["major"])
        minor = try Self.number(node["minor"])
        access = try node["access"].string() ?? "rwm"
        if access.isEmpty { access = "rwm" }
        guard access.allSatisfy({ "rwm".contains($0) }) else {
            throw node["access"].error("must be of r, w, m")
        }
    }

    /// -1 is "any" to Go programs.
    private static func number(_ node: SpecNode) throws(SpecError) -> UInt32? {
        if try node.number(Int64.self) == -1 { return nil }
        return try node.number()
    }

    var object: JSON.Object {
        var object: JSON.Object = ["allow": .bool(isAllowed)]
        if kind != .all { object["type"] = .string(kind.rawValue) }
        object.add("major", major)
        object.add("minor", minor)
        object["access"] = .string(access)
        return object
    }
}

extension DeviceRule {
    /// What the devices need that every container has, whatever its rules say. Source: runc, libcontainer/specconv.
    package static let ofEveryContainer: [DeviceRule] = [
        DeviceRule(allow: true, .character, access: "m"),
        DeviceRule(allow: true, .block, access: "m"),
        DeviceRule(allow: true, .character, 1, 3),
        DeviceRule(allow: true, .character, 1, 5),
        DeviceRule(allow: true, .character, 1, 7),
        DeviceRule(allow: true, .character, 1, 8),
        DeviceRule(allow: true, .character, 1, 9),
        DeviceRule(allow: true, .character, 5, 0),
        DeviceRule(allow: true, .character, 5, 1),
        DeviceRule(allow: true, .character, 5, 2),
        DeviceRule(allow: true, .character, 136),
    ]
}
