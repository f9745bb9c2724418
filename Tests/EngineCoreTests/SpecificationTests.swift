// SPDX-License-Identifier: Apache-2.0
import RuntimeSpec
import Testing

@testable import EngineCore

struct SpecificationTests {
    private let id = ContainerID.random()

    private func image(entrypoint: [String] = [], command: [String] = []) -> ImageDefaults {
        var image = ImageDefaults()
        image.entrypoint = entrypoint
        image.command = command
        return image
    }

    private func resolved(
        _ settings: ContainerSettings,
        _ image: ImageDefaults
    ) throws -> ResolvedConfiguration {
        try ResolvedConfiguration(settings: settings, image: image, id: id, hostName: "machine")
    }

    private func spec(
        layout: String = "hybrid",
        host: Host = .fake,
        _ change: (inout ContainerSettings) -> Void = { _ in }
    ) throws -> ContainerSpec {
        var settings = ContainerSettings()
        settings.image = "busybox"
        settings.command = ["sh"]
        change(&settings)
        let resolved = try resolved(settings, image())
        let builder = SpecificationBuilder(
            settings: settings,
            resolved: resolved,
            files: NetworkFiles(directory: "/files"),
            host: host,
            cgroupLayout: layout
        )
        // As the supervisor reads it.
        return try ContainerSpec(parsing: try builder.specification())
    }

    @Test(
        arguments: [
            // entrypoint and command of the user, of the image, and what runs
            (nil, [], ["e"], ["c"], ["e", "c"]),
            (nil, ["x"], ["e"], ["c"], ["e", "x"]),
            (["u"], [], ["e"], ["c"], ["u"]),
            (["u"], ["x"], ["e"], ["c"], ["u", "x"]),
            ([""], ["x"], ["e"], ["c"], ["x"]),
            ([], ["x"], ["e"], [], ["x"]),
            (nil, [], [], ["c"], ["c"]),
        ] as [([String]?, [String], [String], [String], [String])]
    )
    func commandsAreMixedAsDockerDoes(
        _ entrypoint: [String]?,
        _ command: [String],
        _ imageEntrypoint: [String],
        _ imageCommand: [String],
        _ runs: [String]
    ) throws {
        var settings = ContainerSettings()
        settings.entrypoint = entrypoint
        settings.command = command
        let mixed = try resolved(settings, image(entrypoint: imageEntrypoint, command: imageCommand))
        #expect(mixed.arguments == runs)
    }

    @Test func nothingToRunIsAnError() {
        var settings = ContainerSettings()
        settings.image = "empty"
        #expect(throws: EngineError.noCommand(image: "empty")) { try resolved(settings, image()) }
        settings.entrypoint = []
        #expect(throws: EngineError.noCommand(image: "empty")) {
            try resolved(settings, image(command: ["c"]))
        }
    }

    @Test func theImagesDefaultsAreTaken() throws {
        let text = """
            {"architecture":"amd64","os":"linux","config":{"Cmd":["sh"],"Env":["A=1"],"WorkingDir":"/w","User":"u:g",
            "StopSignal":"SIGQUIT","Labels":{"k":"v"},"Volumes":{"/data":{}},"Entrypoint":null}}
            """
        let image = try ImageDefaults(configuration: Array(text.utf8), image: "i")
        var settings = ContainerSettings()
        settings.labels = ["k": "mine", "l": "w"]
        settings.environment = ["B=2"]
        let mixed = try resolved(settings, image)
        #expect(mixed.environment == ["A=1", "B=2"] && mixed.workingDirectory == "/w" && mixed.user == "u:g")
        #expect(mixed.stopSignal == "SIGQUIT" && mixed.labels == ["k": "mine", "l": "w"])
        #expect(mixed.imageVolumes == ["/data"] && mixed.stopTimeoutSeconds == 10 && mixed.entrypoint == nil)
    }

    @Test(arguments: [
        "", "[]", "{", #"{"config":1}"#, #"{"config":{"Cmd":"sh"}}"#, #"{"config":{"Env":[1]}}"#,
    ])
    func aDamagedImageConfigurationIsAnError(_ text: String) {
        #expect(throws: EngineError.self) { try ImageDefaults(configuration: Array(text.utf8), image: "i") }
    }

    @Test func dockersDefaultsAreThere() throws {
        let spec = try spec()
        let process = try #require(spec.process)
        #expect(process.args == ["sh"] && process.cwd == "/" && process.user.username == "")
        #expect(process.env == ["PATH=" + DockerDefaults.path, "HOSTNAME=" + id.short])
        #expect(process.capabilities?.bounding == DockerDefaults.capabilities)
        #expect(spec.hostname == id.short && spec.linux.seccomp != nil)
        #expect(spec.linux.maskedPaths == DockerDefaults.maskedPaths)
        #expect(spec.linux.namespaces.map(\.kind) == [.mount, .network, .uts, .pid, .ipc])
        #expect(spec.linux.resources.memory == nil && spec.linux.resources.pidsLimit == nil)
        let mounts = spec.mounts.suffix(3)
        #expect(mounts.map(\.destination) == ["/etc/resolv.conf", "/etc/hostname", "/etc/hosts"])
        #expect(mounts.map(\.source) == ["/files/resolv.conf", "/files/hostname", "/files/hosts"])
    }

    @Test func cgroupNamespacesArePrivateOnVersionTwo() throws {
        #expect(try spec(layout: "v2").linux.namespace(.cgroup) != nil)
        #expect(try spec(layout: "v1").linux.namespace(.cgroup) == nil)
    }

    @Test func limitsAreAsDockerSetsThem() throws {
        let resources = try spec {
            $0.limits = .init(memoryBytes: 64 << 20, nanoCPUs: 1_500_000_000, processes: 50)
        }.linux.resources
        #expect(resources.memory?.limit == 64 << 20 && resources.memory?.swap == 128 << 20)
        #expect(resources.cpu?.quotaMicros == 150_000 && resources.cpu?.periodMicros == 100_000)
        #expect(resources.pidsLimit == 50)
        #expect(try spec { $0.limits.processes = -1 }.linux.resources.pidsLimit == nil)
    }

    @Test func theHostsNetworkIsShared() throws {
        let spec = try spec { $0.network = .host }
        #expect(spec.linux.namespace(.network) == nil && spec.hostname == "machine")
    }

    @Test func capabilitiesAreAddedAndDropped() throws {
        let changed = try spec {
            $0.capabilitiesAdded = ["net_admin"]
            $0.capabilitiesDropped = ["CAP_CHOWN"]
        }.process?.capabilities?.bounding
        #expect(changed == DockerDefaults.capabilities.union([.netAdmin]).subtracting([.chown]))
        let only = try spec {
            $0.capabilitiesDropped = ["ALL"]
            $0.capabilitiesAdded = ["kill"]
        }.process?.capabilities?.permitted
        #expect(only == [.kill])
        let all = try spec {
            $0.capabilitiesAdded = ["all"]
            $0.capabilitiesDropped = ["SYS_ADMIN"]
        }.process?.capabilities?.effective
        #expect(all == Set(Capability.allCases).subtracting([.sysAdmin]))
        #expect(throws: EngineError.self) { try spec { $0.capabilitiesAdded = ["flying"] } }
    }

    @Test func whatThisMachineLacksIsNotAskedFor() throws {
        var host = Host.fake
        host.capabilityBits = ~(1 << UInt64(Capability.sysResource.number))
        let spec = try spec(host: host) { $0.isPrivileged = true }
        #expect(spec.process?.capabilities?.bounding == Set(Capability.allCases).subtracting([.sysResource]))
    }

    @Test func privilegedContainersAreNotConfined() throws {
        let spec = try spec { $0.isPrivileged = true }
        #expect(
            spec.linux.seccomp == nil && spec.linux.maskedPaths.isEmpty && spec.linux.readonlyPaths.isEmpty
        )
        #expect(spec.linux.resources.devices.map(\.isAllowed) == [true])
    }

    @Test func volumesComeInOrderOfDepthAndReplace() throws {
        let spec = try spec {
            $0.binds = [
                .init(
                    source: "/b",
                    target: "/data/sub",
                    readOnly: true,
                    propagation: "rslave",
                    createSource: false
                ),
                .init(source: "/a", target: "/data/", readOnly: false, propagation: "", createSource: false),
                .init(
                    source: "/h",
                    target: "/etc/hosts",
                    readOnly: false,
                    propagation: "",
                    createSource: false
                ),
                .init(
                    source: "/s",
                    target: "/dev/shm",
                    readOnly: false,
                    propagation: "",
                    createSource: false
                ),
            ]
        }
        let binds = spec.mounts.filter(\.isBind)
        #expect(
            binds.map(\.destination)
                == ["/data", "/etc/resolv.conf", "/etc/hostname", "/data/sub", "/etc/hosts", "/dev/shm"]
        )
        #expect(
            binds[3].options == ["rbind", "rslave", "ro"] && binds[0].options == ["rbind", "rprivate", "rw"]
        )
        #expect(spec.mounts.filter { $0.destination == "/dev/shm" }.count == 1)
    }

    @Test func aReadOnlyRootCoversTheEnginesFiles() throws {
        let spec = try spec { $0.readOnlyRoot = true }
        #expect(spec.root?.isReadOnly == true)
        #expect(spec.mounts.filter(\.isBind).allSatisfy { $0.options.contains("ro") })
    }

    @Test func impossibleSettingsAreRefused() throws {
        func refused(_ change: (inout ContainerSettings) -> Void) -> Bool {
            var settings = ContainerSettings()
            change(&settings)
            do { try settings.check(on: .fake) } catch { return true }
            return false
        }
        #expect(!refused { _ in })
        #expect(refused { $0.limits.memoryBytes = 1 << 20 })
        #expect(refused { $0.limits.memoryBytes = .max })
        #expect(refused { $0.limits.nanoCPUs = 3_000_000_000 })
        #expect(refused { $0.limits.nanoCPUs = 1 })
        #expect(refused { $0.limits.processes = -2 })
        #expect(refused { $0.environment = ["=x"] })
        #expect(refused { $0.stopSignal = "SIGWHAT" })
        #expect(
            refused {
                $0.autoRemove = true
                $0.restart = .init(mode: .always)
            }
        )
        func bind(_ source: String, _ target: String, _ propagation: String = "") -> ContainerSettings.Bind {
            .init(
                source: source,
                target: target,
                readOnly: false,
                propagation: propagation,
                createSource: false
            )
        }
        #expect(refused { $0.binds = [bind("relative", "/x")] })
        #expect(refused { $0.binds = [bind("/a", "x")] })
        #expect(refused { $0.binds = [bind("/a", "/x/..")] })
        #expect(refused { $0.binds = [bind("/a", "/x"), bind("/b", "/x/")] })
        #expect(refused { $0.binds = [bind("/a", "/x", "sideways")] })
        #expect(!refused { $0.binds = [bind("/a", "/x"), bind("/a", "/y", "rshared")] })
    }

    @Test func anExecInheritsFromItsContainer() throws {
        var settings = ContainerSettings()
        settings.command = ["sh"]
        settings.environment = ["A=1"]
        settings.user = "bin"
        let mixed = try resolved(settings, image())
        var exec = ExecSettings()
        exec.command = ["ls"]
        exec.environment = ["A=2", "B=3"]
        let process = try ProcessSpec(parsing: exec.process(in: settings, mixed, host: .fake))
        #expect(process.args == ["ls"] && process.user.username == "bin" && process.capabilities == nil)
        #expect(process.env == ["PATH=" + DockerDefaults.path, "HOSTNAME=" + id.short, "A=2", "B=3"])
        exec.command = []
        #expect(throws: EngineError.self) { try exec.process(in: settings, mixed, host: .fake) }
    }
}

extension Host {
    static let fake: Host = {
        var host = Host(
            name: "machine",
            kernelRelease: "6.1.0",
            operatingSystem: "Test",
            operatingSystemVersion: "1",
            cpus: 2,
            memoryBytes: 1 << 30,
            capabilityBits: .max,
            deviceDirectory: "/nowhere"
        )
        host.onlineCPUs = "0-1"
        host.onlineMemories = "0"
        return host
    }()
}
