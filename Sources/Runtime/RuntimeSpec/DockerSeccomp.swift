// SPDX-License-Identifier: Apache-2.0

/// Docker's default system-call filter: everything that is not named fails with EPERM.
package enum DockerSeccomp {
    /// A rule of the profile and the conditions under which it is part of a container's filter.
    struct Entry: Sendable {
        let names: [String]
        let action: SeccompSpec.Action
        let errnoRet: UInt32?
        let argument: SeccompSpec.Argument?
        let needsCapability: Capability?
        let needsArchitectures: [String]
        let minimumKernel: (Int, Int)
        let withoutCapability: Capability?
        let withoutArchitectures: [String]

        init(
            _ names: [String],
            action: SeccompSpec.Action = .allow,
            errnoRet: UInt32? = nil,
            argument: SeccompSpec.Argument? = nil,
            needsCapability: Capability? = nil,
            needsArchitectures: [String] = [],
            minimumKernel: (Int, Int) = (0, 0),
            withoutCapability: Capability? = nil,
            withoutArchitectures: [String] = []
        ) {
            self.names = names
            self.action = action
            self.errnoRet = errnoRet
            self.argument = argument
            self.needsCapability = needsCapability
            self.needsArchitectures = needsArchitectures
            self.minimumKernel = minimumKernel
            self.withoutCapability = withoutCapability
            self.withoutArchitectures = withoutArchitectures
        }
    }

    /// The filter for a container with these capabilities.
    /// - Parameter kernelRelease: As uname(2) says, `6.18.4-amd64`; what cannot be read counts as 0.0.
    package static func profile(capabilities: Set<Capability>, kernelRelease: String) -> SeccompSpec {
        let kernel = version(kernelRelease)
        let rules = table.filter { entry in
            (entry.needsCapability.map(capabilities.contains) ?? true)
                && !(entry.withoutCapability.map(capabilities.contains) ?? false)
                && (entry.needsArchitectures.isEmpty || entry.needsArchitectures.contains(architecture))
                && !entry.withoutArchitectures.contains(architecture)
                && kernel >= entry.minimumKernel
        }
        return SeccompSpec(
            defaultAction: .errno,
            defaultErrnoRet: 1,
            architectures: subArchitectures,
            rules: rules.map {
                SeccompSpec.Rule(
                    $0.names,
                    $0.action,
                    errnoRet: $0.errnoRet,
                    arguments: $0.argument.map { [$0] } ?? []
                )
            }
        )
    }

    static func version(_ release: String) -> (Int, Int) {
        let numbers = release.split { !$0.isNumber }.prefix(2).map { Int($0) ?? 0 } + [0, 0]
        return (numbers[0], numbers[1])
    }

    #if arch(arm64)
        static let architecture = "arm64"
        private static let subArchitectures: [SeccompSpec.Architecture] = [.arm64, .arm]
    #else
        static let architecture = "amd64"
        private static let subArchitectures: [SeccompSpec.Architecture] = [.x86_64, .x86, .x32]
    #endif
}
