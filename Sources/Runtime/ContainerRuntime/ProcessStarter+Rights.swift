// SPDX-License-Identifier: Apache-2.0
internal import RuntimeSpec
internal import System

/// Capabilities and the system-call filter, in the order in which each can still be had.
extension ProcessStarter {
    /// Takes what is not granted out of the bounding set, and returns the capabilities that there are to give.
    func dropBounding() throws(SystemError) -> UInt64 {
        let available = try Credentials.capabilities().permitted
        let wanted = plan.capabilities.bounding
        for capability in 0..<64 {
            guard let isHeld = Credentials.boundingHolds(capability) else { break }
            if isHeld, wanted & (1 << UInt64(capability)) == 0 { try Credentials.dropBounding(capability) }
        }
        return available
    }

    /// Gives up everything but the final rights, in the order that the filter needs, finds the program, and becomes
    /// the program's own process.
    func finish(_ available: UInt64, _ environment: [String]) throws(StepFailure) -> String {
        let wanted = plan.capabilities
        let final = Credentials.Capabilities(
            effective: wanted.effective & available,
            permitted: wanted.permitted & available,
            inheritable: wanted.inheritable & available
        )
        if process.noNewPrivileges {
            try step("capability", Credentials.forbidNewPrivileges)
            try step("capability") { () throws(SystemError) in try settle(final) }
            let program = try find(environment)
            try bear()
            try step("seccomp", installFilter)
            return program
        }
        // Looked up with the final rights; then, once more with all, the filter, which needs CAP_SYS_ADMIN here.
        try step("capability") { () throws(SystemError) in
            try Credentials.setCapabilities(
                .init(effective: final.effective, permitted: available, inheritable: 0)
            )
        }
        let program = try find(environment)
        if !plan.filter.isEmpty { return try filter(with: final, available, program) }
        try step("capability") { () throws(SystemError) in try settle(final) }
        try bear()
        return program
    }

    /// Without no_new_privs the filter comes before the last capability goes, and if possible before the process is one
    /// of the container's.
    private func filter(
        with final: Credentials.Capabilities,
        _ available: UInt64,
        _ program: String
    ) throws(StepFailure) -> String {
        var working = Credentials.Capabilities(effective: available, permitted: available, inheritable: 0)
        let isLate = birthplace.map { !filterAllows($0) } ?? false
        if isLate {
            // It would refuse what is still to be done: the new process installs it, with one more right until then.
            working = final
            working.effective |= Self.administration & available
            working.permitted |= Self.administration & available
        }
        try step("capability") { () throws(SystemError) in try Credentials.setCapabilities(working) }
        if isLate { try bear() }
        try step("seccomp", installFilter)
        try step("capability") { () throws(SystemError) in try settle(final) }
        if !isLate { try bear() }
        return program
    }

    /// CAP_SYS_ADMIN.
    private static let administration: UInt64 = 1 << 21

    private func filterAllows(_ birthplace: Birthplace) -> Bool {
        birthplace.calls(settingLimit: plan.limits.contains(where: \.isOfProcesses)).allSatisfy {
            SystemCallFilter.allows($0, in: plan.filter)
        }
    }

    private func settle(_ final: Credentials.Capabilities) throws(SystemError) {
        try Credentials.setCapabilities(final)
        let ambient = plan.capabilities.ambient & final.permitted & final.inheritable
        guard ambient != 0 else { return }
        for capability in 0..<64 where ambient & (1 << UInt64(capability)) != 0 {
            try Credentials.raiseAmbient(capability)
        }
    }

    private func installFilter() throws(SystemError) {
        guard !plan.filter.isEmpty else { return }
        try SystemCallFilter.install(plan.filter, flags: plan.filterFlags)
    }
}
