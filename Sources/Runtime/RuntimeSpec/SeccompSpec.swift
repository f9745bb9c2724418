// SPDX-License-Identifier: Apache-2.0
package import JSON

/// The `linux.seccomp` object: which system calls a container may make.
package struct SeccompSpec: Hashable, Sendable {
    package enum Action: String, CaseIterable, Sendable {
        case kill = "SCMP_ACT_KILL"
        case killProcess = "SCMP_ACT_KILL_PROCESS"
        case killThread = "SCMP_ACT_KILL_THREAD"
        case trap = "SCMP_ACT_TRAP"
        case errno = "SCMP_ACT_ERRNO"
        case trace = "SCMP_ACT_TRACE"
        case allow = "SCMP_ACT_ALLOW"
        case log = "SCMP_ACT_LOG"
        case notify = "SCMP_ACT_NOTIFY"
    }

    package enum Comparison: String, CaseIterable, Sendable {
        case notEqual = "SCMP_CMP_NE"
        case less = "SCMP_CMP_LT"
        case lessOrEqual = "SCMP_CMP_LE"
        case equal = "SCMP_CMP_EQ"
        case greaterOrEqual = "SCMP_CMP_GE"
        case greater = "SCMP_CMP_GT"
        case maskedEqual = "SCMP_CMP_MASKED_EQ"
    }

    /// A condition on one argument. With `maskedEqual`, `value` is the mask and `valueTwo` the result.
    package struct Argument: Hashable, Sendable {
        /// 0 to 5.
        package var index: UInt32
        package var value: UInt64
        package var valueTwo: UInt64
        package var comparison: Comparison

        package init(index: UInt32, value: UInt64, valueTwo: UInt64 = 0, _ comparison: Comparison) {
            self.index = index
            self.value = value
            self.valueTwo = valueTwo
            self.comparison = comparison
        }
    }

    package struct Rule: Hashable, Sendable {
        package var names: [String]
        package var action: Action
        package var errnoRet: UInt32?
        package var arguments: [Argument]

        package init(_ names: [String], _ action: Action, errnoRet: UInt32? = nil, arguments: [Argument] = [])
        {
            self.names = names
            self.action = action
            self.errnoRet = errnoRet
            self.arguments = arguments
        }
    }

    package enum Architecture: String, CaseIterable, Sendable {
        case x86 = "SCMP_ARCH_X86"
        case x86_64 = "SCMP_ARCH_X86_64"
        case x32 = "SCMP_ARCH_X32"
        case arm = "SCMP_ARCH_ARM"
        case arm64 = "SCMP_ARCH_AARCH64"
        case mips = "SCMP_ARCH_MIPS"
        case mips64 = "SCMP_ARCH_MIPS64"
        case mips64n32 = "SCMP_ARCH_MIPS64N32"
        case mipsel = "SCMP_ARCH_MIPSEL"
        case mipsel64 = "SCMP_ARCH_MIPSEL64"
        case mipsel64n32 = "SCMP_ARCH_MIPSEL64N32"
        case ppc = "SCMP_ARCH_PPC"
        case ppc64 = "SCMP_ARCH_PPC64"
        case ppc64le = "SCMP_ARCH_PPC64LE"
        case s390 = "SCMP_ARCH_S390"
        case s390x = "SCMP_ARCH_S390X"
        case parisc = "SCMP_ARCH_PARISC"
        case parisc64 = "SCMP_ARCH_PARISC64"
        case riscv64 = "SCMP_ARCH_RISCV64"
        case loongarch64 = "SCMP_ARCH_LOONGARCH64"
        case m68k = "SCMP_ARCH_M68K"
        case sh = "SCMP_ARCH_SH"
        case sheb = "SCMP_ARCH_SHEB"
    }

    package enum Flag: String, CaseIterable, Sendable {
        case threadSync = "SECCOMP_FILTER_FLAG_TSYNC"
        case log = "SECCOMP_FILTER_FLAG_LOG"
        case allowSpeculation = "SECCOMP_FILTER_FLAG_SPEC_ALLOW"
        case waitKillable = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"
    }

    package var defaultAction: Action
    package var defaultErrnoRet: UInt32?
    /// Besides the machine's own, which is always covered.
    package var architectures: [Architecture]
    package var flags: [Flag]
    package var rules: [Rule]

    package init(
        defaultAction: Action,
        defaultErrnoRet: UInt32? = nil,
        architectures: [Architecture] = [],
        flags: [Flag] = [],
        rules: [Rule] = []
    ) {
        self.defaultAction = defaultAction
        self.defaultErrnoRet = defaultErrnoRet
        self.architectures = architectures
        self.flags = flags
        self.rules = rules
    }

    /// Reads a `linux.seccomp` object that stands alone.
    package init(_ json: JSON) throws(SpecError) {
        try self.init(node: SpecNode(json, path: "linux.seccomp"))
    }

    init(node: SpecNode) throws(SpecError) {
        try node.checkObject()
        defaultAction = try node["defaultAction"].requiredChoice()
        defaultErrnoRet = try Self.errorNumber(node["defaultErrnoRet"])
        architectures = try node["architectures"].list { node throws(SpecError) in try node.requiredChoice() }
        flags = try node["flags"].list { node throws(SpecError) in try node.requiredChoice() }
        rules = try node["syscalls"].list(Rule.init(node:))
        guard try node["listenerPath"].string() ?? "" == "" else {
            throw node["listenerPath"].error("is not supported")
        }
        if defaultAction == .notify || rules.contains(where: { $0.action == .notify }) {
            throw node.error("SCMP_ACT_NOTIFY is not supported")
        }
    }

    static func errorNumber(_ node: SpecNode) throws(SpecError) -> UInt32? {
        let code = try node.number(UInt32.self)
        if let code, code > 4095 { throw node.error("must be at most 4095") }
        return code
    }

    package var json: JSON { .object(object) }

    var object: JSON.Object {
        var object: JSON.Object = ["defaultAction": .string(defaultAction.rawValue)]
        object.add("defaultErrnoRet", defaultErrnoRet)
        object.add("architectures", architectures.map(\.rawValue))
        object.add("flags", flags.map(\.rawValue))
        object.add("syscalls", rules.map { .object($0.object) })
        return object
    }
}

extension SeccompSpec.Rule {
    init(node: SpecNode) throws(SpecError) {
        try node.checkObject()
        names = try node["names"].strings()
        guard !names.isEmpty else { throw node["names"].error("must name a system call") }
        action = try node["action"].requiredChoice()
        errnoRet = try SeccompSpec.errorNumber(node["errnoRet"])
        arguments = try node["args"].list(SeccompSpec.Argument.init(node:))
    }

    var object: JSON.Object {
        var object = JSON.Object()
        object.add("names", names)
        object["action"] = .string(action.rawValue)
        object.add("errnoRet", errnoRet)
        object.add("args", arguments.map { .object($0.object) })
        return object
    }
}

extension SeccompSpec.Argument {
    init(node: SpecNode) throws(SpecError) {
        try node.checkObject()
        index = try node["index"].requiredNumber()
        guard index < 6 else { throw node["index"].error("must be from 0 to 5") }
        value = try node["value"].requiredNumber()
        valueTwo = try node["valueTwo"].number() ?? 0
        comparison = try node["op"].requiredChoice()
    }

    var object: JSON.Object {
        var object: JSON.Object = ["index": .integer(Int64(index))]
        object.add("value", value)
        if valueTwo != 0 { object.add("valueTwo", valueTwo) }
        object["op"] = .string(comparison.rawValue)
        return object
    }
}
