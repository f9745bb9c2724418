// SPDX-License-Identifier: Apache-2.0
package import JSON

/// A process of a container: its init, or one executed in it.
package struct ProcessSpec: Hashable, Sendable {
    package struct User: Hashable, Sendable {
        package var uid: UInt32
        package var gid: UInt32
        /// Permission bits to clear; nil leaves 0o022.
        package var umask: UInt32?
        package var additionalGids: [UInt32]
        /// `user[:group]` by name or number, looked up in the container's own /etc/passwd and /etc/group when the
        /// process starts; wins over the numbers. Empty: the numbers count.
        package var username: String
        /// Beside `additionalGids`: names or numbers, looked up in the container's own /etc/group.
        package var additionalGroups: [String]

        package init(
            uid: UInt32 = 0,
            gid: UInt32 = 0,
            umask: UInt32? = nil,
            additionalGids: [UInt32] = [],
            username: String = "",
            additionalGroups: [String] = []
        ) {
            self.uid = uid
            self.gid = gid
            self.umask = umask
            self.additionalGids = additionalGids
            self.username = username
            self.additionalGroups = additionalGroups
        }
    }

    package struct ConsoleSize: Hashable, Sendable {
        package var height: UInt16
        package var width: UInt16

        package init(height: UInt16, width: UInt16) {
            self.height = height
            self.width = width
        }
    }

    /// setrlimit(2) of one resource. `UInt64.max` is unlimited.
    package struct ResourceLimit: Hashable, Sendable {
        package enum Kind: String, CaseIterable, Sendable {
            case addressSpace = "RLIMIT_AS"
            case core = "RLIMIT_CORE"
            case cpu = "RLIMIT_CPU"
            case data = "RLIMIT_DATA"
            case fileSize = "RLIMIT_FSIZE"
            case locks = "RLIMIT_LOCKS"
            case lockedMemory = "RLIMIT_MEMLOCK"
            case messageQueue = "RLIMIT_MSGQUEUE"
            case nice = "RLIMIT_NICE"
            case openFiles = "RLIMIT_NOFILE"
            case processes = "RLIMIT_NPROC"
            case residentSet = "RLIMIT_RSS"
            case realtimePriority = "RLIMIT_RTPRIO"
            case realtimeTime = "RLIMIT_RTTIME"
            case pendingSignals = "RLIMIT_SIGPENDING"
            case stack = "RLIMIT_STACK"
        }

        package var kind: Kind
        package var soft: UInt64
        package var hard: UInt64

        package init(kind: Kind, soft: UInt64, hard: UInt64) {
            self.kind = kind
            self.soft = soft
            self.hard = hard
        }
    }

    package var terminal: Bool
    package var consoleSize: ConsoleSize?
    package var cwd: String
    /// `NAME=value`.
    package var env: [String]
    package var args: [String]
    package var user: User
    /// nil: none; for an exec, those of the container.
    package var capabilities: CapabilitySets?
    package var rlimits: [ResourceLimit]
    package var noNewPrivileges: Bool
    /// -1000 to 1000; nil: inherited.
    package var oomScoreAdj: Int32?

    package init(
        args: [String],
        env: [String] = [],
        cwd: String = "/",
        user: User = User(),
        terminal: Bool = false,
        capabilities: CapabilitySets? = nil,
        rlimits: [ResourceLimit] = [],
        noNewPrivileges: Bool = false,
        oomScoreAdj: Int32? = nil
    ) {
        self.args = args
        self.env = env
        self.cwd = cwd
        self.user = user
        self.terminal = terminal
        self.capabilities = capabilities
        self.rlimits = rlimits
        self.noNewPrivileges = noNewPrivileges
        self.oomScoreAdj = oomScoreAdj
    }

    /// Reads a `process` object that stands alone, as for an exec. Paths in errors begin with `process`.
    package init(parsing text: [UInt8]) throws(SpecError) { try self.init(JSON.forSpec(text)) }

    package init(_ json: JSON) throws(SpecError) { try self.init(node: SpecNode(json, path: "process")) }

    init(node: SpecNode) throws(SpecError) {
        guard node.isPresent else { throw node.error("must be an object") }
        try node.checkObject()
        terminal = try node["terminal"].bool() ?? false
        consoleSize = try node["consoleSize"].object { node throws(SpecError) in
            ConsoleSize(
                height: try node["height"].requiredNumber(),
                width: try node["width"].requiredNumber()
            )
        }
        cwd = try node["cwd"].requiredString()
        guard cwd.hasPrefix("/") else { throw node["cwd"].error("must be an absolute path") }
        env = try node["env"].list { node throws(SpecError) in
            let entry = try node.requiredString()
            guard let mark = entry.firstIndex(of: "="), mark != entry.startIndex else {
                throw node.error("must be NAME=value")
            }
            return entry
        }
        args = try node["args"].strings()
        guard let program = args.first, !program.isEmpty else {
            throw node["args"].error("must name a program")
        }
        user = try node["user"].object(User.init(node:)) ?? User()
        capabilities = try node["capabilities"].object(CapabilitySets.init(node:))
        rlimits = try node["rlimits"].list(ResourceLimit.init(node:))
        for (index, limit) in rlimits.enumerated()
        where rlimits[..<index].contains(where: { $0.kind == limit.kind }) {
            throw SpecError(
                path: node.path + ".rlimits[\(index)].type",
                problem: "\(limit.kind.rawValue) is given twice"
            )
        }
        noNewPrivileges = try node["noNewPrivileges"].bool() ?? false
        oomScoreAdj = try node["oomScoreAdj"].number()
        if let oomScoreAdj, !(-1000...1000).contains(oomScoreAdj) {
            throw node["oomScoreAdj"].error("must be from -1000 to 1000")
        }
        for key in ["apparmorProfile", "selinuxLabel"] {
            guard try node[key].string() ?? "" == "" else { throw node[key].error("is not supported") }
        }
    }

    package var json: JSON { .object(object) }

    var object: JSON.Object {
        var object = JSON.Object()
        object.add("terminal", terminal)
        if let consoleSize {
            object["consoleSize"] = [
                "height": .integer(Int64(consoleSize.height)), "width": .integer(Int64(consoleSize.width)),
            ]
        }
        object["user"] = .object(user.object)
        object.add("args", args)
        object.add("env", env)
        object["cwd"] = .string(cwd)
        if let capabilities { object["capabilities"] = .object(capabilities.object) }
        object.add(
            "rlimits",
            rlimits.map {
                var limit: JSON.Object = ["type": .string($0.kind.rawValue)]
                limit.add("hard", $0.hard)
                limit.add("soft", $0.soft)
                return .object(limit)
            }
        )
        object.add("noNewPrivileges", noNewPrivileges)
        object.add("oomScoreAdj", oomScoreAdj)
        return object
    }
}

extension ProcessSpec.User {
    init(node: SpecNode) throws(SpecError) {
        uid = try node["uid"].isPresent ? Self.identifier(node["uid"]) : 0
        gid = try node["gid"].isPresent ? Self.identifier(node["gid"]) : 0
        umask = try node["umask"].number()
        if let umask, umask > 0o777 { throw node["umask"].error("must be at most 0777") }
        additionalGids = try node["additionalGids"].list(Self.identifier)
        username = try node["username"].string() ?? ""
        additionalGroups = try node["additionalGroups"].strings()
    }

    /// Docker's range. The kernel takes 4294967295 for "as before", and the process would stay root.
    private static func identifier(_ node: SpecNode) throws(SpecError) -> UInt32 {
        let number: Int64 = try node.requiredNumber()
        guard number >= 0, number <= 0x7fff_ffff else { throw node.error("must be from 0 to 2147483647") }
        return UInt32(number)
    }

    var object: JSON.Object {
        var object: JSON.Object = ["uid": .integer(Int64(uid)), "gid": .integer(Int64(gid))]
        object.add("umask", umask)
        object.add("additionalGids", additionalGids.map { .integer(Int64($0)) })
        object.add("username", username)
        object.add("additionalGroups", additionalGroups)
        return object
    }
}

extension ProcessSpec.ResourceLimit.Kind {
    /// Source: asm-generic/resource.h.
    package var kernelNumber: Int32 {
        switch self {
        case .cpu: 0
        case .fileSize: 1
        case .data: 2
        case .stack: 3
        case .core: 4
        case .residentSet: 5
        case .processes: 6
        case .openFiles: 7
        case .lockedMemory: 8
        case .addressSpace: 9
        case .locks: 10
        case .pendingSignals: 11
        case .messageQueue: 12
        case .nice: 13
        case .realtimePriority: 14
        case .realtimeTime: 15
        }
    }
}

extension ProcessSpec.ResourceLimit {
    init(node: SpecNode) throws(SpecError) {
        kind = try node["type"].requiredChoice()
        hard = try node["hard"].requiredNumber()
        soft = try node["soft"].requiredNumber()
        guard soft <= hard else { throw node["soft"].error("must not exceed hard") }
    }
}
