// SPDX-License-Identifier: Apache-2.0
internal import CSeccomp
package import RuntimeSpec
internal import System

/// A compiled system-call filter: an array of `struct sock_filter`, 8 bytes each, for `seccomp(2)`.
package struct SeccompProgram: Hashable, Sendable {
    package let bytes: [UInt8]

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// Changes whenever the same specification would give another program.
    static let generation = 2

    /// Compiles a specification; 10 to 20 ms for Docker's profile.
    ///
    /// Names that neither libseccomp nor this module know are passed over, as by every runtime: the default action
    /// applies to them.
    /// - Parameter isCompacted: false: as the library has it, which is to compare with.
    package init(compiling spec: SeccompSpec, isCompacted: Bool = true) throws(SeccompError) {
        guard let context = seccomp_init(Self.word(spec.defaultAction, spec.defaultErrnoRet)) else {
            throw .library(step: "seccomp_init", code: 22)
        }
        defer { seccomp_release(context) }
        for architecture in spec.architectures {
            let name = Self.libraryName(of: architecture)
            let code = seccomp_arch_add(context, seccomp_arch_resolve_name(name))
            // Already there: the machine's own.
            guard code == 0 || code == -17 else {
                throw .library(step: "seccomp_arch_add \(name)", code: -code)
            }
        }
        // A tree, in case it stays as it is: more instructions, but the kernel loads it two to three times faster.
        try Self.check("seccomp_attr_set", seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2))
        try Self.check("seccomp_attr_set", seccomp_attr_set(context, SCMP_FLTATR_CTL_NNP, 0))
        var prefix = FilterPrefix()
        prefix.architectures = spec.architectures
        for rule in spec.rules { try Self.add(rule, of: spec, to: context, &prefix) }
        var program = try prefix.instructions.flatMap(\.bytes) + Self.export(context)
        if isCompacted { program = FilterCompaction.compacted(program) }
        guard program.count / 8 <= 4096 else { throw .tooLarge(instructions: program.count / 8) }
        bytes = program
    }

    /// What the program depends on, besides the specification: this module, the library, the architecture.
    static var toolchain: String {
        let version = seccomp_version().pointee
        return
            "petrel \(generation) libseccomp \(version.major).\(version.minor).\(version.micro) \(FilterPrefix.native)"
    }

    private static func add(
        _ rule: SeccompSpec.Rule,
        of spec: SeccompSpec,
        to context: scmp_filter_ctx,
        _ prefix: inout FilterPrefix
    ) throws(SeccompError) {
        let action = word(rule.action, rule.errnoRet)
        // The library refuses rules that say what the default says.
        guard action != word(spec.defaultAction, spec.defaultErrnoRet) else { return }
        for name in rule.names {
            let number = seccomp_syscall_resolve_name(name)
            if number != -1 {
                try add(number, action, rule.arguments, to: context)
            } else if rule.arguments.isEmpty {
                if let number = RecentSystemCalls.numbers[name] { prefix.everywhere.append((number, action)) }
                if let number = RecentSystemCalls.nativeNumbers[name] {
                    prefix.nativeOnly.append((number, action))
                }
            }
        }
    }

    private static func add(
        _ number: Int32,
        _ action: UInt32,
        _ arguments: [SeccompSpec.Argument],
        to context: scmp_filter_ctx
    ) throws(SeccompError) {
        let conditions = arguments.map {
            scmp_arg_cmp(
                arg: $0.index,
                op: comparison($0.comparison),
                datum_a: $0.value,
                datum_b: $0.valueTwo
            )
        }
        // Conditions on different arguments must all hold; of several on one argument, one suffices: a rule each.
        let isRepeated = Set(arguments.map(\.index)).count < arguments.count
        let groups = isRepeated ? conditions.map { [$0] } : [conditions]
        for group in groups {
            let code = seccomp_rule_add_array(context, action, number, UInt32(group.count), group)
            // The same rule twice is harmless.
            guard code == 0 || code == -17 else {
                throw .library(step: "seccomp_rule_add \(number)", code: -code)
            }
        }
    }

    /// The library only writes to a descriptor; the program fits into a pipe (4096 instructions are 32 KiB).
    private static func export(_ context: scmp_filter_ctx) throws(SeccompError) -> [UInt8] {
        do throws(SystemError) {
            let pipe = try Pipe()
            let code = seccomp_export_bpf(context, pipe.writeEnd.raw)
            let readEnd = pipe.relinquishReadEnd()
            guard code == 0 else { throw SystemError("seccomp_export_bpf", code: -code) }
            return try Files.contents(of: readEnd.raw, limit: 1 << 16)
        } catch {
            throw .system(error)
        }
    }

    private static func check(_ step: String, _ code: Int32) throws(SeccompError) {
        guard code == 0 else { throw .library(step: step, code: -code) }
    }

    /// `SECCOMP_RET_*`, which libseccomp's own constants equal.
    private static func word(_ action: SeccompSpec.Action, _ data: UInt32?) -> UInt32 {
        switch action {
        case .kill, .killThread: 0
        case .killProcess: 0x8000_0000
        case .trap: 0x0003_0000
        case .errno: 0x0005_0000 | (data ?? 1)
        case .trace: 0x7ff0_0000 | (data ?? 1)
        case .log: 0x7ffc_0000
        case .allow: 0x7fff_0000
        case .notify: 0x7fc0_0000
        }
    }

    private static func comparison(_ comparison: SeccompSpec.Comparison) -> scmp_compare {
        switch comparison {
        case .notEqual: SCMP_CMP_NE
        case .less: SCMP_CMP_LT
        case .lessOrEqual: SCMP_CMP_LE
        case .equal: SCMP_CMP_EQ
        case .greaterOrEqual: SCMP_CMP_GE
        case .greater: SCMP_CMP_GT
        case .maskedEqual: SCMP_CMP_MASKED_EQ
        }
    }

    private static func libraryName(of architecture: SeccompSpec.Architecture) -> String {
        String(architecture.rawValue.dropFirst("SCMP_ARCH_".count)).lowercased()
    }
}
