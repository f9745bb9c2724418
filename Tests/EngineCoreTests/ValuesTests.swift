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

    @Test(arguments: [true, false])
    func aWeightThatTheMachineLacksIsLeftOutAndTold(_ isThere: Bool) throws {
        var host = Host.fake
        host.hasBlockWeight = isThere
        var change = LimitsChange()
        change.blockWeight = 300
        let resources = String(decoding: change.resources(on: host), as: UTF8.self)
        #expect(resources == (isThere ? #"{"blockIO":{"weight":300}}"# : ""))
        #expect(change.warnings(on: host).isEmpty == isThere)
        var older = LimitsChange()
        (older.blockWeight, older.cpuShares) = (200, 5)
        #expect(change.over(older).blockWeight == 300 && change.over(older).cpuShares == 5)
        #expect(older.over(change).blockWeight == 200)
        for wrong: Int64 in [9, 1001] {
            change.blockWeight = wrong
            #expect(throws: EngineError.self) { try change.check(over: ContainerSettings(), on: host) }
        }
    }

    @Test(arguments: [
        ("linux", true), ("linux/arm", true), ("linux/arm/v7", true), ("linux/arm/v8", true),
        ("linux/armhf", true),
        ("", true), ("linux/arm/v6", false), ("linux/arm64", false), ("windows", false),
        ("windows/arm/v7", false),
    ])
    func aPlatformCountsWithItsVariant(_ text: String, _ isFitting: Bool) throws {
        var image = StoredImage(id: "i")
        (image.os, image.architecture) = ("linux", "arm")
        image.configuration = Array(#"{"os":"linux","architecture":"arm","variant":"v7"}"#.utf8)
        let platform = try ImagePlatform(text)
        #expect(((try? platform.check(image, called: "x")) != nil) == isFitting)
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
