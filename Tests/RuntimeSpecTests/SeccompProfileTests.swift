// SPDX-License-Identifier: Apache-2.0
import JSON
import RuntimeSpec
import Testing

/// Profiles in Docker's format.
struct SeccompProfileTests {
    private func rules(
        _ syscalls: String,
        capabilities: Set<Capability> = [],
        kernel: String = "6.1.0"
    ) throws -> [[String]] {
        let text = #"{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":1,"syscalls":["# + syscalls + "]}"
        let document = try JSON(parsing: Array(text.utf8))
        let profile = try DockerSeccomp.profile(document, capabilities: capabilities, kernelRelease: kernel)
        #expect(profile.defaultAction == .errno && profile.defaultErrnoRet == 1)
        return profile.rules.map(\.names)
    }

    @Test func conditionsChooseRules() throws {
        let allow = #","action":"SCMP_ACT_ALLOW""#
        let text = [
            #"{"names":["read"]\#(allow)}"#,
            #"{"name":"write"\#(allow),"comment":"","args":[],"includes":{},"excludes":{}}"#,
            #"{"names":["mount"]\#(allow),"includes":{"caps":["CAP_SYS_ADMIN"]}}"#,
            #"{"names":["clone"]\#(allow),"excludes":{"caps":["CAP_SYS_ADMIN"]}}"#,
            #"{"names":["ptrace"]\#(allow),"includes":{"minKernel":"4.8"}}"#,
            #"{"names":["old"]\#(allow),"excludes":{"minKernel":"4.8"}}"#,
            #"{"names":["s390"]\#(allow),"includes":{"arches":["s390x"]}}"#,
            #"{"names":["others"]\#(allow),"excludes":{"arches":["s390x"]}}"#,
        ].joined(separator: ",")
        #expect(try rules(text).flatMap { $0 } == ["read", "write", "clone", "ptrace", "others"])
        let others = try rules(text, capabilities: [.sysAdmin], kernel: "4.7").flatMap { $0 }
        #expect(others == ["read", "write", "mount", "old", "others"])
    }

    @Test func architecturesComeFromTheMap() throws {
        let text = """
            {"defaultAction":"SCMP_ACT_ALLOW","archMap":[
            {"architecture":"SCMP_ARCH_X86_64","subArchitectures":["SCMP_ARCH_X86"]},
            {"architecture":"SCMP_ARCH_AARCH64","subArchitectures":["SCMP_ARCH_ARM"]}]}
            """
        let profile = try DockerSeccomp.profile(
            JSON(parsing: Array(text.utf8)),
            capabilities: [],
            kernelRelease: "6.1"
        )
        #expect(profile.architectures == [.x86_64, .x86] || profile.architectures == [.arm64, .arm])
    }

    @Test(arguments: [
        "[]", "{}", #"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"action":"SCMP_ACT_ALLOW"}]}"#,
        #"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"a","names":["b"],"action":"SCMP_ACT_ALLOW"}]}"#,
        #"{"defaultAction":"SCMP_ACT_ALLOW","architectures":[],"archMap":[]}"#,
        #"{"defaultAction":"SCMP_ACT_NOTIFY"}"#,
    ])
    func whatIsNoProfile(_ text: String) throws {
        let document = try JSON(parsing: Array(text.utf8))
        #expect(throws: SpecError.self) {
            try DockerSeccomp.profile(document, capabilities: [], kernelRelease: "6.1")
        }
    }
}
