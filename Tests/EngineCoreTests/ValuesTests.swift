// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import EngineCore

struct ValuesTests {
    @Test(arguments: ["a", "7", "ab", "web", "a.b", "A-1_x", "/web", "0x"])
    func aNameByTheRuleIsTaken(_ text: String) throws {
        let name = try ContainerName(text)
        #expect(name.text == (text.hasPrefix("/") ? String(text.dropFirst()) : text))
    }

    @Test(arguments: [
        "", "/", "_", "-ab", ".ab", "a b", "a/b", "ü2", "//ab", "a\u{0}b", String(repeating: "x", count: 256),
    ])
    func anyOtherNameIsRefused(_ text: String) {
        #expect(throws: EngineError.invalidName(text)) { try ContainerName(text) }
    }

    @Test func generatedNamesKeepTheRule() throws {
        var generator = SystemRandomNumberGenerator()
        for attempt in 0..<20 {
            let name = ContainerName.generated(attempt: attempt, using: &generator)
            #expect(try ContainerName(name.text) == name)
            #expect(name.text.split(separator: "_").count == 2)
            #expect(name.text.last?.isNumber == (attempt > 0))
        }
    }

    @Test func randomIDsAreIDs() {
        let ids = (0..<100).map { _ in ContainerID.random() }
        #expect(Set(ids).count == 100)
        #expect(
            ids.allSatisfy {
                ContainerID($0.text) == $0 && UInt64($0.short) == nil && $0.short.utf8.count == 12
            }
        )
    }

    @Test(arguments: ["", "abc", String(repeating: "A", count: 64), String(repeating: "g", count: 64)])
    func otherTextIsNoID(_ text: String) {
        #expect(ContainerID(text) == nil)
    }

    @Test(
        arguments: [
            ("TERM", 15), ("SIGTERM", 15), ("sigkill", 9), ("9", 9), ("64", 64), ("SIGRTMIN", 34),
            ("RTMIN+3", 37),
            ("SIGRTMAX-1", 63), ("cld", 17), ("winch", 28),
        ] as [(String, Int32)]
    )
    func signalsAreReadByNameAndNumber(_ text: String, _ number: Int32) throws {
        #expect(try ContainerSignal(text).number == number)
    }

    @Test(arguments: ["", "0", "65", "-1", "SIGFOO", "RTMIN-1", "RTMIN+31", "9x"])
    func otherSignalsAreRefused(_ text: String) {
        #expect(throws: EngineError.invalidSignal(text)) { try ContainerSignal(text) }
    }

    @Test func signalsHaveNames() throws {
        #expect(ContainerSignal.terminate.name == "SIGTERM")
        #expect(try ContainerSignal("37").name == "SIGRTMIN+3")
    }

    @Test(arguments: [
        (["A=1", "B=2"], ["A=3"], ["A=3", "B=2"]),
        (["A=1"], ["B=2"], ["A=1", "B=2"]),
        (["A=1", "B=2"], ["A"], ["B=2"]),
        (["A=1"], ["C"], ["A=1"]),
        (["A=1"], ["A="], ["A="]),
        ([], ["A=b=c"], ["A=b=c"]),
    ])
    func environmentsAreMerged(_ base: [String], _ changes: [String], _ result: [String]) {
        #expect(Environment.merged(base, changes) == result)
    }

    @Test(arguments: [
        ("busybox", "busybox"), ("busybox:latest", "busybox"), ("host:5000/app", "host:5000/app"),
        ("host:5000/app:1.2", "host:5000/app"), ("app@sha256:abc", "app"), ("app:1@sha256:abc", "app"),
    ])
    func tagsAreTakenOff(_ reference: String, _ name: String) {
        #expect(ImageNames.withoutTag(reference) == name)
    }

    @Test func restartPoliciesAreChecked() throws {
        let policy = try ContainerSettings.RestartPolicy(name: "on-failure", maximumRetries: 3)
        #expect(policy.mode == .onFailure && policy.maximumRetries == 3)
        #expect(try ContainerSettings.RestartPolicy(name: "", maximumRetries: 0).mode == .no)
        #expect(throws: EngineError.self) {
            try ContainerSettings.RestartPolicy(name: "often", maximumRetries: 0)
        }
        #expect(throws: EngineError.self) {
            try ContainerSettings.RestartPolicy(name: "always", maximumRetries: 1)
        }
    }

    @Test func onlyKnownNetworksAreTaken() throws {
        #expect(try ContainerSettings.NetworkMode(name: "") == .none)
        #expect(try ContainerSettings.NetworkMode(name: "host") == .host)
        #expect(throws: EngineError.networkNotFound("bridge")) {
            try ContainerSettings.NetworkMode(name: "bridge")
        }
    }
}
