// SPDX-License-Identifier: Apache-2.0
internal import JSON
internal import RuntimeSpec

/// What the options of `--security-opt` mean on this machine.
struct SecurityChoice {
    enum Filter {
        case builtin
        case unconfined
        /// A profile in Docker's format.
        case profile(JSON)
    }

    private(set) var filter = Filter.builtin
    private(set) var forbidsNewPrivileges = false
    private(set) var hidesSystemPaths = true
    private(set) var warnings: [String] = []

    private static let advice =
        "use seccomp=, no-new-privileges, apparmor=, label= or systempaths=unconfined"

    /// - Throws: `.invalidField` for an option that is none, or that this machine cannot honour.
    init(settings: ContainerSettings, host: Host) throws(EngineError) {
        guard settings.securityOptions.count <= 64 else {
            throw .invalidField("security option", "more than 64 security options")
        }
        for option in settings.securityOptions { try read(option, host) }
        if settings.isPrivileged {
            if case .builtin = filter { filter = .unconfined }
            hidesSystemPaths = false
        }
    }

    private mutating func read(_ option: String, _ host: Host) throws(EngineError) {
        // Older clients write a colon.
        let mark = option.firstIndex(of: "=") ?? option.firstIndex(of: ":")
        let name = mark.map { String(option[..<$0]) } ?? option
        let value = mark.map { String(option[option.index(after: $0)...]) }
        switch (name, value) {
        case ("no-new-privileges", nil), ("no-new-privileges", "true"?): forbidsNewPrivileges = true
        case ("no-new-privileges", "false"?): forbidsNewPrivileges = false
        case ("seccomp", "unconfined"?): filter = .unconfined
        case ("seccomp", "builtin"?): filter = .builtin
        case ("seccomp", let text?): filter = .profile(try SecurityChoice.profile(text))
        case ("systempaths", "unconfined"?): hidesSystemPaths = false
        case ("apparmor", let profile?) where !profile.isEmpty: try useAppArmor(profile, host)
        case ("label", let label?) where !label.isEmpty: try useLabel(label, host)
        default:
            let shown = option.utf8.count > 200 ? String(option.prefix(200)) + "…" : option
            throw .invalidField(
                "security option",
                "invalid --security-opt: \"\(shown)\"",
                advice: Self.advice
            )
        }
    }

    private static func profile(_ text: String) throws(EngineError) -> JSON {
        do {
            let document = try JSON(parsing: Array(text.utf8), maximumSize: 1 << 20)
            // Understood now, whatever the capabilities will be.
            _ = try DockerSeccomp.profile(document, capabilities: [], kernelRelease: "")
            return document
        } catch {
            throw .invalidField("security option", "the seccomp profile cannot be used: \(error)")
        }
    }

    private mutating func useAppArmor(_ profile: String, _ host: Host) throws(EngineError) {
        guard profile != "unconfined" else { return }
        guard !host.hasAppArmor else {
            let text = "AppArmor profiles are not supported: \"\(profile)\" cannot be applied"
            throw .invalidField("security option", text, advice: "use apparmor=unconfined")
        }
        warnings.append("the AppArmor profile \"\(profile)\" is not applied: this machine has no AppArmor")
    }

    private mutating func useLabel(_ label: String, _ host: Host) throws(EngineError) {
        guard label != "disable" else { return }
        let kind = String(label.prefix { $0 != ":" })
        guard ["user", "role", "type", "level", "filetype"].contains(kind), label.contains(":") else {
            throw .invalidField("security option", "invalid label \"\(label)\"", advice: "use label=disable")
        }
        guard !host.hasSELinux else {
            let text = "SELinux labels are not supported: \"\(label)\" cannot be applied"
            throw .invalidField("security option", text, advice: "use label=disable")
        }
        warnings.append("the SELinux label \"\(label)\" is not applied: this machine has no SELinux")
    }

    /// The filter for a container with these capabilities; nil: none.
    func seccomp(capabilities: Set<Capability>, kernelRelease: String) throws(EngineError) -> SeccompSpec? {
        switch filter {
        case .unconfined: return nil
        case .builtin: return DockerSeccomp.profile(capabilities: capabilities, kernelRelease: kernelRelease)
        case .profile(let document):
            do throws(SpecError) {
                return try DockerSeccomp.profile(
                    document,
                    capabilities: capabilities,
                    kernelRelease: kernelRelease
                )
            } catch {
                throw .invalidField("security option", "the seccomp profile cannot be used: \(error)")
            }
        }
    }
}
