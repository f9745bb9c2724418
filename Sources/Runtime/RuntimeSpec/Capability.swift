// SPDX-License-Identifier: Apache-2.0
internal import JSON

/// Linux capabilities in the order of their numbers. Source: capabilities(7), linux/capability.h.
package enum Capability: String, CaseIterable, Sendable, Comparable {
    case chown = "CAP_CHOWN"
    case dacOverride = "CAP_DAC_OVERRIDE"
    case dacReadSearch = "CAP_DAC_READ_SEARCH"
    case fowner = "CAP_FOWNER"
    case fsetid = "CAP_FSETID"
    case kill = "CAP_KILL"
    case setgid = "CAP_SETGID"
    case setuid = "CAP_SETUID"
    case setpcap = "CAP_SETPCAP"
    case linuxImmutable = "CAP_LINUX_IMMUTABLE"
    case netBindService = "CAP_NET_BIND_SERVICE"
    case netBroadcast = "CAP_NET_BROADCAST"
    case netAdmin = "CAP_NET_ADMIN"
    case netRaw = "CAP_NET_RAW"
    case ipcLock = "CAP_IPC_LOCK"
    case ipcOwner = "CAP_IPC_OWNER"
    case sysModule = "CAP_SYS_MODULE"
    case sysRawio = "CAP_SYS_RAWIO"
    case sysChroot = "CAP_SYS_CHROOT"
    case sysPtrace = "CAP_SYS_PTRACE"
    case sysPacct = "CAP_SYS_PACCT"
    case sysAdmin = "CAP_SYS_ADMIN"
    case sysBoot = "CAP_SYS_BOOT"
    case sysNice = "CAP_SYS_NICE"
    case sysResource = "CAP_SYS_RESOURCE"
    case sysTime = "CAP_SYS_TIME"
    case sysTtyConfig = "CAP_SYS_TTY_CONFIG"
    case mknod = "CAP_MKNOD"
    case lease = "CAP_LEASE"
    case auditWrite = "CAP_AUDIT_WRITE"
    case auditControl = "CAP_AUDIT_CONTROL"
    case setfcap = "CAP_SETFCAP"
    case macOverride = "CAP_MAC_OVERRIDE"
    case macAdmin = "CAP_MAC_ADMIN"
    case syslog = "CAP_SYSLOG"
    case wakeAlarm = "CAP_WAKE_ALARM"
    case blockSuspend = "CAP_BLOCK_SUSPEND"
    case auditRead = "CAP_AUDIT_READ"
    case perfmon = "CAP_PERFMON"
    case bpf = "CAP_BPF"
    case checkpointRestore = "CAP_CHECKPOINT_RESTORE"

    /// The kernel's number.
    package var number: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    /// From a user's spelling: any case, with or without `CAP_`; nil when there is no such capability.
    package init?(userSpelling text: String) {
        let upper = text.uppercased()
        self.init(rawValue: upper.hasPrefix("CAP_") ? upper : "CAP_" + upper)
    }

    package static func < (left: Capability, right: Capability) -> Bool { left.number < right.number }
}

/// The five sets of capabilities(7).
package struct CapabilitySets: Hashable, Sendable {
    package var bounding: Set<Capability>
    package var effective: Set<Capability>
    package var inheritable: Set<Capability>
    package var permitted: Set<Capability>
    package var ambient: Set<Capability>

    package init(
        bounding: Set<Capability> = [],
        effective: Set<Capability> = [],
        inheritable: Set<Capability> = [],
        permitted: Set<Capability> = [],
        ambient: Set<Capability> = []
    ) {
        self.bounding = bounding
        self.effective = effective
        self.inheritable = inheritable
        self.permitted = permitted
        self.ambient = ambient
    }

    /// As Docker gives them: bounding, effective and permitted alike, the others empty.
    package init(_ capabilities: some Sequence<Capability>) {
        let all = Set(capabilities)
        self.init(bounding: all, effective: all, permitted: all)
    }

    init(node: SpecNode) throws(SpecError) {
        func set(_ key: String) throws(SpecError) -> Set<Capability> {
            Set(try node[key].list { node throws(SpecError) in try node.requiredChoice(Capability.self) })
        }
        bounding = try set("bounding")
        effective = try set("effective")
        inheritable = try set("inheritable")
        permitted = try set("permitted")
        ambient = try set("ambient")
        guard effective.isSubset(of: permitted) else {
            throw node["effective"].error("must not hold what permitted does not")
        }
    }

    var object: JSON.Object {
        var object = JSON.Object()
        for (key, set) in [
            ("bounding", bounding), ("effective", effective), ("inheritable", inheritable),
            ("permitted", permitted), ("ambient", ambient),
        ] {
            object.add(key, set.sorted().map(\.rawValue))
        }
        return object
    }
}
