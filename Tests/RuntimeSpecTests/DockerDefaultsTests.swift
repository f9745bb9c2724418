// SPDX-License-Identifier: Apache-2.0
import RuntimeSpec
import Testing

struct DockerDefaultsTests {
    private func allowed(_ name: String, in profile: SeccompSpec) -> Bool {
        profile.rules.contains { $0.action == .allow && $0.names.contains(name) }
    }

    @Test func capabilitiesHaveTheKernelsNumbers() {
        #expect(Capability.chown.number == 0)
        #expect(Capability.sysAdmin.number == 21)
        #expect(Capability.checkpointRestore.number == 40)
        #expect(Capability(userSpelling: "net_admin") == .netAdmin)
        #expect(Capability(userSpelling: "CAP_Sys_Admin") == .sysAdmin)
        #expect(Capability(userSpelling: "all") == nil)
        #expect(DockerDefaults.capabilities.count == 14)
    }

    @Test func theProfileFollowsTheCapabilities() {
        let plain = DockerSeccomp.profile(
            capabilities: DockerDefaults.capabilities,
            kernelRelease: "6.18.44-x"
        )
        #expect(plain.defaultAction == .errno && plain.defaultErrnoRet == 1)
        #expect(plain.architectures.first == .x86_64 || plain.architectures.first == .arm64)
        for name in ["read", "ptrace", "chroot", "clone", "socket"] {
            #expect(allowed(name, in: plain), "\(name)")
        }
        for name in ["mount", "bpf", "reboot", "clone3", "kexec_load"] {
            #expect(!allowed(name, in: plain), "\(name)")
        }
        #expect(plain.rules.contains { $0.names == ["clone3"] && $0.action == .errno && $0.errnoRet == 38 })
        let admin = DockerSeccomp.profile(capabilities: [.sysAdmin], kernelRelease: "6.1")
        #expect(allowed("mount", in: admin) && allowed("clone3", in: admin) && !allowed("chroot", in: admin))
        #expect(!admin.rules.contains { $0.names == ["clone3"] })
    }

    @Test(arguments: [("4.7.99", false), ("4.8", true), ("4.10.1", true), ("10.0-rc1", true), ("", false)])
    func ptraceNeedsAKernelThatFiltersIt(release: String, isAllowed: Bool) {
        let profile = DockerSeccomp.profile(capabilities: [], kernelRelease: release)
        #expect(allowed("ptrace", in: profile) == isAllowed)
    }

    @Test func aPrivilegedContainerHasNoFilterAndEveryCapability() {
        let spec = DockerDefaults.spec(
            process: ProcessSpec(args: ["sh"]),
            privileged: true,
            kernelRelease: "6.1"
        )
        #expect(spec.linux.seccomp == nil && spec.linux.maskedPaths.isEmpty)
        #expect(spec.process?.capabilities?.bounding.count == 41)
        #expect(spec.linux.resources.devices == [DeviceRule(allow: true)])
    }
}
