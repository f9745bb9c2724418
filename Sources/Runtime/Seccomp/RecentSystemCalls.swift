// SPDX-License-Identifier: Apache-2.0
internal import RuntimeSpec
internal import System

/// System calls that libseccomp may be too old to know by name. Since 424 a call has one number on every
/// architecture. Source: Linux `scripts/syscall.tbl`, to 6.17.
enum RecentSystemCalls {
    static let numbers: [String: UInt32] = [
        "process_mrelease": 448,
        "futex_waitv": 449,
        "set_mempolicy_home_node": 450,
        "cachestat": 451,
        "fchmodat2": 452,
        "map_shadow_stack": 453,
        "futex_wake": 454,
        "futex_wait": 455,
        "futex_requeue": 456,
        "statmount": 457,
        "listmount": 458,
        "lsm_get_self_attr": 459,
        "lsm_set_self_attr": 460,
        "lsm_list_modules": 461,
        "mseal": 462,
        "setxattrat": 463,
        "getxattrat": 464,
        "listxattrat": 465,
        "removexattrat": 466,
        "open_tree_attr": 467,
        "file_getattr": 468,
        "file_setattr": 469,
    ]

    #if arch(x86_64)
        /// Calls of this architecture alone.
        static let nativeNumbers: [String: UInt32] = ["uretprobe": 335, "uprobe": 336]
    #else
        static let nativeNumbers: [String: UInt32] = [:]
    #endif
}

/// A classic BPF program before libseccomp's, which decides about calls that libseccomp does not know.
///
/// It looks only at the call's number; a program that follows starts from the beginning, as if this were not there.
struct FilterPrefix {
    /// `AUDIT_ARCH_*` as the kernel reports it for a call.
    static func auditArchitecture(_ architecture: SeccompSpec.Architecture) -> UInt32? {
        switch architecture {
        case .x86_64: 0xc000_003e
        case .x86: 0x4000_0003
        case .arm64: 0xc000_00b7
        case .arm: 0x4000_0028
        default: nil
        }
    }

    #if arch(arm64)
        static let native = SeccompSpec.Architecture.arm64
    #else
        static let native = SeccompSpec.Architecture.x86_64
    #endif

    /// Number → what the filter returns for it.
    var everywhere: [(number: UInt32, action: UInt32)] = []
    var nativeOnly: [(number: UInt32, action: UInt32)] = []
    var architectures: [SeccompSpec.Architecture] = []

    var instructions: [FilterInstruction] {
        var program: [FilterInstruction] = []
        let covered = Set(architectures + [Self.native])
        if !nativeOnly.isEmpty, let audit = Self.auditArchitecture(Self.native) {
            program += Self.section(audit, nativeOnly, masksX32: false)
        }
        for architecture in covered.sorted(by: { $0.rawValue < $1.rawValue }) where !everywhere.isEmpty {
            guard let audit = Self.auditArchitecture(architecture) else { continue }
            // x32 calls say x86_64 and set bit 30 of the number.
            program += Self.section(
                audit,
                everywhere,
                masksX32: architecture == .x86_64 && covered.contains(.x32)
            )
        }
        return program
    }

    private static func section(_ audit: UInt32, _ calls: [(number: UInt32, action: UInt32)], masksX32: Bool)
        -> [FilterInstruction]
    {
        var body = [FilterInstruction(.load, operand: FilterInstruction.number)]
        if masksX32 { body.append(.init(.and, operand: 0xbfff_ffff)) }
        for call in calls {
            body.append(.init(.ifEqual, ifFalse: 1, operand: call.number))
            body.append(.init(.verdict, operand: call.action))
        }
        // Another architecture jumps over the body (a long jump, since a short one spans 255).
        return [
            .init(.load, operand: FilterInstruction.architecture),
            .init(.ifEqual, ifTrue: 1, operand: audit),
            .init(.jump, operand: UInt32(body.count)),
        ] + body
    }
}
