// SPDX-License-Identifier: Apache-2.0
import JSON
import RuntimeSpec
import Testing

@testable import EngineCore

/// What each option becomes in the OCI runtime specification.
struct OptionsSpecificationTests {
    private let id = ContainerID.random()

    private func spec(
        layout: String = "hybrid",
        host: Host = .fake,
        borrowed: Borrowed = Borrowed(),
        _ change: (inout ContainerSettings) -> Void
    ) throws -> ContainerSpec {
        let settings = ContainerSettings.busybox {
            $0.command = ["sh"]
            change(&$0)
        }
        let resolved = try ResolvedConfiguration(
            settings: settings,
            image: ImageDefaults(),
            id: id,
            hostName: "machine",
            borrowed: borrowed
        )
        let builder = SpecificationBuilder(
            settings: settings,
            resolved: resolved,
            files: NetworkFiles(directory: "/files"),
            host: host,
            cgroupLayout: layout
        )
        return try ContainerSpec(parsing: try builder.specification())
    }

    @Test func limits() throws {
        let resources = try spec {
            $0.limits.memoryBytes = 64 << 20
            $0.resources.memorySwapBytes = -1
            $0.resources.memoryReservationBytes = 32 << 20
            $0.resources.memorySwappiness = 7
            $0.resources.disablesOOMKiller = true
            $0.resources.cpuShares = 512
            $0.resources.cpuPeriodMicros = 50_000
            $0.resources.cpuQuotaMicros = 25_000
            $0.resources.cpusetCPUs = "0"
            $0.resources.cpusetMemories = "0"
            $0.resources.blockWeight = 300
        }.linux.resources
        #expect(
            resources.memory
                == .init(
                    limit: 64 << 20,
                    reservation: 32 << 20,
                    swap: -1,
                    swappiness: 7,
                    disableOOMKiller: true
                )
        )
        #expect(
            resources.cpu
                == .init(shares: 512, quotaMicros: 25_000, periodMicros: 50_000, cpus: "0", mems: "0")
        )
        #expect(resources.blockIO?.weight == 300)
        let onVersion2 = try spec(layout: "v2") { $0.resources.disablesOOMKiller = true }
        #expect(onVersion2.linux.resources.memory == nil)
        var host = Host.fake
        host.hasBlockWeight = false
        #expect(try spec(host: host) { $0.resources.blockWeight = 300 }.linux.resources.blockIO == nil)
    }

    @Test func theProcess() throws {
        let spec = try spec {
            $0.process.limits = [.init(name: "nofile", soft: 10, hard: -1)]
            $0.process.outOfMemoryScore = 300
            $0.process.groups = ["staff", "77"]
            $0.securityOptions = ["no-new-privileges:true"]
            $0.annotations = ["a.b": "c"]
            $0.names.domainname = "example.org"
            $0.sysctls = ["net.core.somaxconn": "64"]
        }
        let process = try #require(spec.process)
        #expect(process.rlimits == [.init(kind: .openFiles, soft: 10, hard: .max)])
        #expect(process.oomScoreAdj == 300 && process.user.additionalGroups == ["staff", "77"])
        #expect(process.noNewPrivileges && spec.annotations == ["a.b": "c"])
        #expect(spec.domainname == "example.org" && spec.linux.sysctl == ["net.core.somaxconn": "64"])
    }

    @Test func initIsMountedAndRunsTheProgram() throws {
        var host = Host.fake
        host.initProgram = "/opt/petrel-container-init"
        let spec = try spec(host: host) { $0.process.hasInit = true }
        #expect(spec.process?.args == ["/sbin/docker-init", "--", "sh"])
        let mount = try #require(spec.mounts.first { $0.destination == "/sbin/docker-init" })
        #expect(mount.source == "/opt/petrel-container-init" && mount.options.contains("ro"))
    }

    @Test func namespacesOfTheHost() throws {
        let spec = try spec {
            $0.namespaces.process = .host
            $0.namespaces.ipc = .host
            $0.namespaces.sharesHostNames = true
        }
        #expect(spec.linux.namespaces.map(\.kind) == [.mount, .network])
        #expect(spec.hostname == "" && spec.process?.env.contains("HOSTNAME=machine") == true)
        let shared = spec.mounts.filter { $0.destination == "/dev/shm" }
        #expect(shared.map(\.isBind) == [true] && shared.first?.source == "/dev/shm")
    }

    @Test func controlGroupNamespaces() throws {
        for (layout, mode, isOwn) in [
            ("v2", nil, true), ("v1", nil, false), ("v2", "host", false), ("hybrid", "private", true),
        ] {
            let spec = try spec(layout: layout) { $0.namespaces.controlGroups = mode }
            #expect((spec.linux.namespace(.cgroup) != nil) == isOwn, "\(layout) \(mode ?? "default")")
        }
    }

    /// Joining is the supervisor's; without it the container would be alone, never on the host.
    @Test func namespacesOfOthersStayNewOnes() throws {
        let other = ContainerID.random()
        var borrowed = Borrowed()
        borrowed.hostname = "theirs"
        let spec = try spec(borrowed: borrowed) {
            $0.network = .container(other.text)
            $0.namespaces.process = .container(other.text)
            $0.namespaces.ipc = .container(other.text)
            #expect($0.joinedNamespaces.map(\.kind) == [.network, .pid, .ipc])
        }
        #expect(spec.linux.namespaces.map(\.kind) == [.mount, .network, .uts, .pid, .ipc])
        #expect(spec.hostname == "theirs")
        #expect(spec.mounts.first { $0.destination == "/dev/shm" }?.type == "tmpfs")
    }

    @Test func sharedMemory() throws {
        let sized = try spec { $0.storage.sharedMemoryBytes = 1 << 20 }
        #expect(sized.mounts.first { $0.destination == "/dev/shm" }?.options.contains("size=1048576") == true)
        #expect(
            try spec { $0.namespaces.ipc = .none }.mounts.contains { $0.destination == "/dev/shm" } == false
        )
    }

    @Test func mounts() throws {
        var borrowed = Borrowed()
        for (source, target) in [("/theirs", "/a"), ("/kept", "/b/c")] {
            var mount = ContainerSettings.Storage.Mount(.bind, target: target)
            mount.source = source
            borrowed.mounts.append(mount)
        }
        let spec = try spec(borrowed: borrowed) {
            var bind = ContainerSettings.Storage.Mount(.bind, target: "/a/")
            bind.source = "/mine"
            bind.readOnly = true
            bind.isNonRecursive = true
            bind.propagation = "rslave"
            var memory = ContainerSettings.Storage.Mount(.tmpfs, target: "/b")
            memory.sizeBytes = 4096
            memory.mode = 0o1770
            $0.storage.mounts = [bind, memory]
            $0.storage.tmpfs = ["/dev/shm": "size=1m,exec"]
        }
        func mount(_ target: String) throws -> MountSpec {
            let found = spec.mounts.filter { $0.destination == target }
            #expect(found.count == 1, "\(target)")
            return try #require(found.first)
        }
        #expect(try mount("/a").source == "/mine" && mount("/a").options == ["bind", "rslave", "ro"])
        #expect(
            try mount("/b").options == ["nosuid", "noexec", "nodev", "rprivate", "size=4096", "mode=1770"]
        )
        #expect(try mount("/b/c").source == "/kept")
        #expect(try mount("/dev/shm").options == ["nosuid", "nodev", "rprivate", "size=1m", "exec"])
        let order = spec.mounts.map(\.destination)
        #expect(try #require(order.firstIndex(of: "/b")) < (try #require(order.firstIndex(of: "/b/c"))))
    }

    @Test func aDevOfOnesOwnIsLeftAlone() throws {
        let spec = try spec {
            $0.binds = [
                .init(source: "/d", target: "/dev", readOnly: false, propagation: "", createSource: false)
            ]
        }
        #expect(spec.mounts.map(\.destination).filter { $0.hasPrefix("/dev") } == ["/dev"])
    }

    @Test func devices() throws {
        let spec = try spec {
            $0.devices.mappings = [.init(source: "/dev/null", target: "/dev/mine", permissions: "r")]
            $0.devices.rules = ["c 5:* rm"]
        }
        let device = try #require(spec.linux.devices.first { $0.path == "/dev/mine" })
        #expect(device.kind == .character && device.major == 1 && device.minor == 3)
        #expect(
            spec.linux.resources.devices.suffix(2)
                == [
                    .init(allow: true, .character, 1, 3, access: "r"),
                    .init(allow: true, .character, 5, nil, access: "rm"),
                ]
        )
        #expect(throws: EngineError.self) {
            try self.spec {
                $0.devices.mappings = [.init(source: "/etc/passwd", target: "", permissions: "")]
            }
        }
        #expect(throws: EngineError.self) {
            try self.spec {
                $0.devices.mappings = [.init(source: "/dev/absent", target: "", permissions: "")]
            }
        }
    }

    @Test func security() throws {
        let open = try spec { $0.securityOptions = ["seccomp=unconfined", "systempaths=unconfined"] }
        #expect(
            open.linux.seccomp == nil && open.linux.maskedPaths.isEmpty && open.linux.readonlyPaths.isEmpty
        )
        let profile =
            #"seccomp={"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_ERRNO"}]}"#
        let own = try #require(try spec { $0.securityOptions = [profile] }.linux.seccomp)
        #expect(own.defaultAction == .allow && own.rules.map(\.names) == [["mkdir"]])
        let privileged = try spec {
            $0.isPrivileged = true
            $0.securityOptions = [profile]
        }
        #expect(privileged.linux.seccomp?.rules.count == 1)
    }

    @Test func resolverFilesAreChangedWhereAsked() throws {
        let base = "# here\nnameserver 9.9.9.9\nsearch old\noptions ndots:1\n"
        var names = ContainerSettings.Names()
        #expect(NetworkFiles.resolver(base, names) == base)
        names.servers = ["1.1.1.1", "::1"]
        #expect(
            NetworkFiles.resolver(base, names)
                == "# here\nsearch old\noptions ndots:1\nnameserver 1.1.1.1\nnameserver ::1\n"
        )
        names = ContainerSettings.Names()
        names.search = ["."]
        names.options = ["rotate"]
        #expect(NetworkFiles.resolver(base, names) == "# here\nnameserver 9.9.9.9\noptions rotate\n")
        #expect(try NetworkFiles.hosts("x", adding: ["a:1.2.3.4", "b:[::1]"]) == "x\n1.2.3.4\ta\n::1\tb\n")
    }

    @Test func healthIsMixedWithTheImages() throws {
        var image = ContainerSettings.Health()
        image.test = ["CMD", "check"]
        image.intervalNanos = 10_000_000_000
        image.retries = 9
        let mixed = try HealthPlan(.with { $0.retries = 1 }, over: image)
        #expect(mixed.shown.test == ["CMD", "check"] && mixed.shown.retries == 1)
        let order = try #require(mixed.order)
        #expect(
            order.intervalMillis == 10_000 && order.timeoutMillis == 30_000
                && order.startIntervalMillis == 5_000
        )
        #expect(try HealthPlan(.with { $0.test = ["NONE"] }, over: image).order == nil)
        #expect(try HealthPlan(.init(), over: nil).order == nil)
        let text = #"{"config":{"Healthcheck":{"Test":["CMD-SHELL","x"],"Interval":5000000000,"Retries":2}}}"#
        let defaults = try ImageDefaults(configuration: Array(text.utf8), image: "i")
        #expect(defaults.health?.test == ["CMD-SHELL", "x"] && defaults.health?.retries == 2)
    }

    @Test(
        arguments: [
            ("local", [:], OutputOrder()),
            ("", ["max-size": "10m", "max-file": "3"], OutputOrder(segmentBytes: 10 << 20, segments: 3)),
            (
                "json-file", ["max-size": "1mb", "max-file": "1"],
                OutputOrder(segmentBytes: 512 << 10, segments: 2)
            ),
            ("", ["mode": "non-blocking"], OutputOrder(dropsWhenFull: true)),
            ("none", [:], OutputOrder(segmentBytes: 2 << 20, segments: 2, dropsWhenFull: true)),
        ] as [(String, [String: String], OutputOrder)]
    )
    func logOptions(_ driver: String, _ options: [String: String], _ order: OutputOrder) throws {
        #expect(try LogPlan(.with(driver: driver, options)).output == order)
    }
}
