// SPDX-License-Identifier: Apache-2.0
import RuntimeSpec
import Testing

@testable import EngineCore

/// What the engine refuses, whatever a client sends.
struct OptionsCheckTests {
    typealias Change = @Sendable (inout ContainerSettings) -> Void

    private func refusal(_ change: Change, host: Host = .fake) -> EngineError? {
        do throws(EngineError) {
            try ContainerSettings.busybox(change).check(on: host)
            return nil
        } catch {
            return error
        }
    }

    private static let impossible: [(String, Change)] = [
        ("memory swap", { $0.resources.memorySwapBytes = 1 << 30 }),
        (
            "memory swap",
            {
                $0.limits.memoryBytes = 64 << 20
                $0.resources.memorySwapBytes = 32 << 20
            }
        ),
        ("memory swap", { $0.resources.memorySwapBytes = -2 }),
        ("memory reservation", { $0.resources.memoryReservationBytes = 1 }),
        (
            "memory reservation",
            {
                $0.limits.memoryBytes = 64 << 20
                $0.resources.memoryReservationBytes = 65 << 20
            }
        ),
        ("memory swappiness", { $0.resources.memorySwappiness = 101 }),
        ("shm size", { $0.storage.sharedMemoryBytes = .max }),
        ("cpu shares", { $0.resources.cpuShares = 1 }),
        ("cpu shares", { $0.resources.cpuShares = -5 }),
        ("cpu period", { $0.resources.cpuPeriodMicros = 999 }),
        ("cpu period", { $0.resources.cpuPeriodMicros = 1_000_001 }),
        ("cpu quota", { $0.resources.cpuQuotaMicros = 999 }),
        ("cpu quota", { $0.resources.cpuQuotaMicros = .max }),
        (
            "cpus",
            {
                $0.limits.nanoCPUs = 1_000_000_000
                $0.resources.cpuQuotaMicros = 50_000
            }
        ),
        ("cpuset cpus", { $0.resources.cpusetCPUs = "7" }),
        ("cpuset cpus", { $0.resources.cpusetCPUs = "0-" }),
        ("cpuset cpus", { $0.resources.cpusetCPUs = "0-99999999999" }),
        ("cpuset mems", { $0.resources.cpusetMemories = "a" }),
        ("cpuset mems", { $0.resources.cpusetMemories = "1" }),
        ("blkio weight", { $0.resources.blockWeight = 9 }),
        ("device rate", { $0.resources.readBytes = [.init(path: "sda", rate: 1)] }),
        ("oom score adj", { $0.process.outOfMemoryScore = 1001 }),
        ("ulimit", { $0.process.limits = [.init(name: "flying", soft: 1, hard: 1)] }),
        ("ulimit", { $0.process.limits = [.init(name: "nofile", soft: 2, hard: 1)] }),
        ("ulimit", { $0.process.limits = [.init(name: "nofile", soft: -1, hard: 1)] }),
        ("ulimit", { $0.process.limits = [.init(name: "NOFILE", soft: 1, hard: 1)] }),
        (
            "ulimit",
            {
                $0.process.limits = [
                    .init(name: "core", soft: 1, hard: 1), .init(name: "core", soft: 0, hard: 1),
                ]
            }
        ),
        ("group", { $0.process.groups = [""] }),
        ("group", { $0.process.groups = ["a:b"] }),
        ("mount", { $0.storage.mounts = [.init(.bind, target: "/x")] }),
        ("volume", { $0.storage.mounts = [.init(.tmpfs, target: "x")] }),
        ("volume", { $0.storage.mounts = [.init(.tmpfs, target: "/x"), .init(.tmpfs, target: "/x/")] }),
        ("volume", { $0.storage.tmpfs = ["/..": ""] }),
        ("tmpfs", { $0.storage.tmpfs = ["/x": "size"] }),
        ("tmpfs", { $0.storage.tmpfs = ["/x": "lowerdir=/etc"] }),
        ("volumes from", { $0.storage.volumesFrom = [":ro"] }),
        ("volumes from", { $0.storage.volumesFrom = ["a:sideways"] }),
        ("device", { $0.devices.mappings = [.init(source: "null", target: "", permissions: "")] }),
        ("device", { $0.devices.mappings = [.init(source: "/dev/null", target: "", permissions: "x")] }),
        ("device", { $0.devices.mappings = [.init(source: "/dev/null", target: "/..", permissions: "r")] }),
        ("device cgroup rule", { $0.devices.rules = ["c 1:3"] }),
        ("device cgroup rule", { $0.devices.rules = ["x 1:3 r"] }),
        ("device cgroup rule", { $0.devices.rules = ["c 1:-3 r"] }),
        ("device cgroup rule", { $0.devices.rules = ["c 1:3 rwmr"] }),
        ("sysctl", { $0.sysctls = ["kernel.panic": "1"] }),
        ("sysctl", { $0.sysctls = ["net..core": "1"] }),
        (
            "sysctl",
            {
                $0.sysctls = ["net.core.somaxconn": "1"]
                $0.network = .host
            }
        ),
        (
            "sysctl",
            {
                $0.sysctls = ["kernel.shmmax": "1"]
                $0.namespaces.ipc = .host
            }
        ),
        (
            "hostname",
            {
                $0.hostname = "h"
                $0.namespaces.sharesHostNames = true
            }
        ),
        (
            "hostname",
            {
                $0.hostname = "h"
                $0.network = .container("a")
            }
        ),
        (
            "dns",
            {
                $0.names.servers = ["1.1.1.1"]
                $0.network = .container("a")
            }
        ),
        (
            "extra hosts",
            {
                $0.names.extraHosts = ["a:1.1.1.1"]
                $0.network = .container("a")
            }
        ),
        ("cgroup parent", { $0.cgroupParent = "a/../b" }),
        ("cgroup parent", { $0.cgroupParent = "/" }),
        ("dns", { $0.names.servers = ["1.1.1"] }),
        ("dns", { $0.names.servers = ["::1\nnameserver 6.6.6.6"] }),
        ("dns search", { $0.names.search = ["a b"] }),
        ("dns option", { $0.names.options = ["a\nb"] }),
        ("extra hosts", { $0.names.extraHosts = ["a"] }),
        ("extra hosts", { $0.names.extraHosts = ["a\nb:1.1.1.1"] }),
        ("extra hosts", { $0.names.extraHosts = ["a:1.2.3.4.5"] }),
        ("extra hosts", { $0.names.extraHosts = ["a:host-gateway"] }),
        ("annotation", { $0.annotations = ["": "x"] }),
        ("security option", { $0.securityOptions = ["nonsense"] }),
        ("security option", { $0.securityOptions = ["seccomp={"] }),
        ("security option", { $0.securityOptions = [#"seccomp={"defaultAction":"SCMP_ACT_FLY"}"#] }),
        ("security option", { $0.securityOptions = ["no-new-privileges=maybe"] }),
        ("log driver", { $0.log.driver = "syslog" }),
        ("log option", { $0.log.options = ["max-size": "0"] }),
        ("log option", { $0.log.options = ["max-size": "9999999t"] }),
        ("log option", { $0.log.options = ["max-file": "0"] }),
        ("log option", { $0.log.options = ["mode": "sometimes"] }),
        ("log option", { $0.log.options = ["max-buffer-size": "1m"] }),
        ("log option", { $0.log.options = ["compress": "very"] }),
        ("log option", { $0.log.options = ["tag": "{{.Nothing}}"] }),
        ("log option", { $0.log.options = ["tag": "{{.Name"] }),
        ("log option", { $0.log.options = ["tag": "{{Name}}"] }),
        ("log option", { $0.log.options = ["env-regex": "x"] }),
        ("platform", { $0.platform = "linux/amd64/v1/x" }),
        ("platform", { $0.platform = "linux//" }),
        ("health interval", { $0.health = .with { $0.intervalNanos = 1 } }),
        ("health start period", { $0.health = .with { $0.startPeriodNanos = -1 } }),
        ("health retries", { $0.health = .with { $0.retries = -1 } }),
        ("health test", { $0.health = .with { $0.test = ["CMD"] } }),
        ("health test", { $0.health = .with { $0.test = ["SHELL", "x"] } }),
        ("health test", { $0.health = .with { $0.test = ["NONE", "x"] } }),
    ]

    @Test(arguments: impossible.indices)
    func theImpossibleIsRefused(_ index: Int) {
        let (field, change) = Self.impossible[index]
        guard case .invalidField(let named, let text, _)? = refusal(change) else {
            Issue.record("\(field), row \(index), was taken")
            return
        }
        #expect(named == field && !text.isEmpty, "row \(index)")
    }

    private static let possible: [Change] = [
        { $0.resources.memorySwapBytes = -1 },
        {
            $0.limits.memoryBytes = 64 << 20
            $0.resources.memorySwapBytes = 64 << 20
            $0.resources.memoryReservationBytes = 32 << 20
        },
        {
            $0.resources.cpusetCPUs = "0-1"
            $0.resources.cpusetMemories = "0"
            $0.resources.cpuShares = 2
        },
        {
            $0.process.limits = [
                .init(name: "nofile", soft: 1, hard: -1), .init(name: "core", soft: -1, hard: -1),
            ]
        },
        { $0.storage.tmpfs = ["/x": "size=64m,mode=1777,exec", "/y": ""] },
        { $0.devices.rules = ["a *:* rwm", "b 8:* r"] },
        { $0.sysctls = ["net.ipv4.ip_forward": "1", "kernel.shmmax": "1", "fs.mqueue.msg_max": "1"] },
        { $0.sysctls = ["net/ipv4/ip_forward": "1"] },
        {
            $0.hostname = "h"
            $0.network = .host
        },
        { $0.names.extraHosts = ["a:::1", "b=1.2.3.4", "c:[fe80::1]"] },
        { $0.names.search = ["."] },
        { $0.securityOptions = ["no-new-privileges", "seccomp=unconfined", "label=type:x", "apparmor=y"] },
        { $0.log = .with(driver: "json-file", ["max-size": "10m", "max-file": "3", "mode": "blocking"]) },
        { $0.log = .with(driver: "", ["mode": "non-blocking", "max-buffer-size": "4m"]) },
        { $0.log = .with(driver: "local", ["compress": "false", "tag": "{{.Name}}/{{ .ID }}"]) },
        { $0.platform = "linux/arm64/v8" },
        { $0.health = .with { $0.test = ["CMD-SHELL", "true"] } },
    ]

    @Test(arguments: possible.indices)
    func thePossibleIsTaken(_ index: Int) {
        #expect(refusal(Self.possible[index]) == nil)
    }

    @Test func whatThisMachineLacksIsAWarning() {
        var host = Host.fake
        host.capabilityBits = ~(1 << UInt64(Capability.sysResource.number))
        host.hardLimits = [.openFiles: 1000, .core: .max]
        host.hasBlockWeight = false
        func warnings(_ layout: String = "hybrid", _ change: Change) -> [String] {
            SettingsWarnings(settings: .busybox(change), host: host, cgroupLayout: layout).texts
        }
        #expect(warnings { _ in }.isEmpty)
        #expect(warnings { $0.process.outOfMemoryScore = -1 }.count == 1)
        #expect(warnings { $0.process.outOfMemoryScore = 1 }.isEmpty)
        #expect(warnings { $0.process.limits = [.init(name: "nofile", soft: 1, hard: 1001)] }.count == 1)
        #expect(warnings { $0.process.limits = [.init(name: "nofile", soft: 1, hard: 1000)] }.isEmpty)
        #expect(warnings { $0.process.limits = [.init(name: "core", soft: -1, hard: -1)] }.isEmpty)
        #expect(warnings { $0.resources.blockWeight = 500 }.count == 1)
        #expect(warnings { $0.log.options = ["mode": "non-blocking", "max-buffer-size": "4m"] }.count == 1)
        #expect(warnings { $0.log.options = ["compress": "true"] }.count == 1)
        #expect(warnings { $0.log.options = ["compress": "false"] }.isEmpty)
        #expect(warnings { $0.resources.memorySwappiness = 1 }.isEmpty)
        #expect(warnings("v2") { $0.resources.memorySwappiness = 1 }.count == 1)
        #expect(warnings { $0.resources.disablesOOMKiller = true }.count == 1)
        #expect(warnings("v2") { $0.resources.disablesOOMKiller = true }.count == 1)
        #expect(warnings { $0.securityOptions = ["apparmor=x", "label=type:y"] }.count == 2)
        #expect(warnings { $0.securityOptions = ["apparmor=unconfined", "label=disable"] }.isEmpty)
    }

    @Test func profilesOfAnArmedMachineAreNotPassedOver() {
        var host = Host.fake
        host.hasAppArmor = true
        host.hasSELinux = true
        #expect(refusal({ $0.securityOptions = ["apparmor=x"] }, host: host) != nil)
        #expect(refusal({ $0.securityOptions = ["label=type:x"] }, host: host) != nil)
        #expect(
            refusal({ $0.securityOptions = ["apparmor=unconfined", "label=disable"] }, host: host) == nil
        )
    }

    @Test func olderRowsCanBeRead() throws {
        let text = """
            {"image":"i","command":[],"environment":[],"workingDirectory":"","user":"","hostname":"","labels":{},
            "binds":[],"restart":{"mode":"no","maximumRetries":0},
            "limits":{"memoryBytes":0,"nanoCPUs":0,"processes":0},"capabilitiesAdded":[],"capabilitiesDropped":[],
            "isPrivileged":false,"network":"none","autoRemove":false,"hasTerminal":false,"opensStdin":false,
            "stdinOnce":false,"stopSignal":"","readOnlyRoot":false}
            """
        let settings = try StoredJSON.value(ContainerSettings.self, of: text)
        #expect(settings == .busybox { $0.image = "i" })
        let again = try StoredJSON.value(ContainerSettings.self, of: try StoredJSON.text(settings))
        #expect(again == settings)
    }

    @Test func everySettingIsStored() throws {
        let settings = ContainerSettings.busybox {
            $0.network = .container("x")
            $0.namespaces.process = .host
            $0.namespaces.ipc = .container("y")
            $0.storage.tmpfs = ["/t": "exec"]
            $0.resources.memorySwappiness = 0
            $0.health = .with { $0.retries = 2 }
        }
        #expect(try StoredJSON.value(ContainerSettings.self, of: try StoredJSON.text(settings)) == settings)
    }
}

extension ContainerSettings.Health {
    static func with(_ change: (inout Self) -> Void) -> Self {
        var health = Self()
        change(&health)
        return health
    }
}

extension ContainerSettings.Log {
    static func with(driver: String, _ options: [String: String]) -> Self {
        var log = Self()
        log.driver = driver
        log.options = options
        return log
    }
}
