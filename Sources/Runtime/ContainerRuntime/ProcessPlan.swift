// SPDX-License-Identifier: Apache-2.0
package import RuntimeSpec
package import System

/// What init and exec processes have in common, in the kernel's terms.
package struct ProcessPlan: Hashable, Sendable {
    package struct Limit: Hashable, Sendable {
        package let number: Int32
        package let soft: UInt64
        package let hard: UInt64

        var isOfProcesses: Bool { number == 6 }
    }

    /// Capability sets as bits.
    package struct Capabilities: Hashable, Sendable {
        package let bounding: UInt64
        package let effective: UInt64
        package let permitted: UInt64
        package let inheritable: UInt64
        package let ambient: UInt64
    }

    package let process: ProcessSpec
    package let limits: [Limit]
    package let capabilities: Capabilities
    package let filter: [UInt8]
    package let filterFlags: SystemCallFilter.Flags

    package init(_ process: ProcessSpec, seccomp: SeccompSpec?, program: [UInt8]) throws(PlanError) {
        guard program.count % 8 == 0, program.count <= 4096 * 8 else { throw .seccompProgram }
        guard !process.args.isEmpty else { throw .missing(field: "process.args") }
        self.process = process
        limits = process.rlimits.map { Limit(number: $0.kind.kernelNumber, soft: $0.soft, hard: $0.hard) }
        // What is not given is not had.
        let sets = process.capabilities ?? CapabilitySets()
        capabilities = Capabilities(
            bounding: Self.bits(sets.bounding),
            effective: Self.bits(sets.effective),
            permitted: Self.bits(sets.permitted),
            inheritable: Self.bits(sets.inheritable),
            ambient: Self.bits(sets.ambient)
        )
        filter = program
        filterFlags = Self.flags(seccomp?.flags ?? [])
    }

    private static func flags(_ flags: [SeccompSpec.Flag]) -> SystemCallFilter.Flags {
        flags.reduce(into: []) { result, flag in
            switch flag {
            case .threadSync: result.insert(.threadSync)
            case .log: result.insert(.log)
            case .allowSpeculation: result.insert(.allowSpeculation)
            // About notifications, which are not supported.
            case .waitKillable: break
            }
        }
    }

    private static func bits(_ set: Set<Capability>) -> UInt64 {
        set.reduce(0) { $0 | 1 << UInt64($1.number) }
    }
}
