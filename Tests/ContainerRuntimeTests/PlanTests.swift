// SPDX-License-Identifier: Apache-2.0
import ContainerRuntime
import JSON
import RuntimeSpec
import System
import Testing

struct PlanTests {
    private func spec(_ change: (inout ContainerSpec) -> Void = { _ in }) -> ContainerSpec {
        var spec = DockerDefaults.spec(process: ProcessSpec(args: ["sh"]), kernelRelease: "6.1")
        spec.root = .init(path: "/r")
        spec.linux.seccomp = nil
        change(&spec)
        return spec
    }

    @Test func dockersDefaultsMakeAPlan() throws {
        let plan = try InitPlan(spec: spec(), rootfs: [])
        #expect(plan.newNamespaces == [.mount, .network, .uts, .process, .ipc])
        #expect(plan.hasNewCgroupNamespace && plan.entered.isEmpty)
        let dev = plan.mounts[1]
        #expect(dev.adding == [.noSetID, .strictAccessTimes])
        #expect(dev.options == [.init("mode", "755"), .init("size", "65536k")])
        #expect(plan.mounts[0].isKernelView && plan.mounts[4].kind == .cgroup)
        #expect(plan.process.capabilities.bounding == 0xa804_25fb)
    }

    @Test(
        arguments: [
            (["bind", "ro"], false, MountAttributes.readOnly, MountAttributes([])),
            (["rbind", "ro", "rw"], true, [], .readOnly),
            (["rbind", "nosuid", "noatime", "relatime"], true, [.noSetID], .accessTimes),
            ([], true, [], []),
        ] as [([String], Bool, MountAttributes, MountAttributes)]
    )
    func mountOptions(options: [String], recursive: Bool, adding: MountAttributes, removing: MountAttributes)
    {
        let plan = MountPlan(MountSpec(destination: "/d", type: "bind", source: "/s", options: options))
        #expect(plan.kind == .bind(source: "/s", recursive: recursive))
        #expect(plan.adding.subtracting(.accessTimes) == adding.subtracting(.accessTimes))
        #expect(plan.removing == removing)
    }

    @Test func recursiveOptionsAndPropagation() {
        let plan = MountPlan(
            MountSpec(
                destination: "/d",
                type: "bind",
                source: "/s",
                options: ["rbind", "rro", "rslave", "private"]
            )
        )
        #expect(plan.addingRecursively == .readOnly && plan.adding.isEmpty)
        #expect(plan.propagation.map(\.kind) == [.slave, .private])
        #expect(plan.propagation.map(\.isRecursive) == [true, false])
    }

    @Test func sysctlsMustBelongToTheContainer() throws {
        let own = try InitPlan(
            spec: spec {
                $0.linux.sysctl = [
                    "net.ipv4.conf.eth0/1.forwarding": "1", "kernel.shmmax": "9", "fs/mqueue/msg_max": "5",
                ]
            },
            rootfs: []
        )
        #expect(
            own.sysctls == [
                "net/ipv4/conf/eth0.1/forwarding": "1", "kernel/shmmax": "9", "fs/mqueue/msg_max": "5",
            ]
        )
        for name in ["kernel.panic", "vm.swappiness", "net.ipv4.ip_forward", "net/../kernel/panic"] {
            let shared = spec {
                $0.linux.sysctl = [name: "1"]
                if name == "net.ipv4.ip_forward" { $0.linux.namespaces.removeAll { $0.kind == .network } }
            }
            #expect(throws: PlanError.notNamespaced(sysctl: name)) { try InitPlan(spec: shared, rootfs: []) }
        }
    }

    @Test func whatIsNotDoneIsRefused() {
        let refused: [(PlanError, (inout ContainerSpec) -> Void)] = [
            (.missing(field: "process"), { $0.process = nil }),
            (.missing(field: "root.path"), { $0.root = .init(path: "relative") }),
            (
                .unsupported(field: "domainname without a uts namespace"),
                {
                    $0.domainname = "d"
                    $0.linux.namespaces.removeAll { $0.kind == .uts }
                }
            ),
            (.unsupported(field: "hooks"), { $0.hooks = [:] }),
            (.unsupported(field: "linux.namespaces: user"), { $0.linux.namespaces.append(.init(.user)) }),
            (.seccompProgram, { $0.linux.seccomp = SeccompSpec(defaultAction: .allow) }),
            (
                .unsupported(field: "mounts[0].options: tmpcopyup"),
                { $0.mounts[0].options.append("tmpcopyup") }
            ),
        ]
        for (error, change) in refused {
            #expect(throws: error) { try InitPlan(spec: spec(change), rootfs: []) }
        }
    }

    @Test func anExecHasTheContainersRights() throws {
        let container = spec {
            $0.process?.noNewPrivileges = true
            $0.process?.rlimits = [.init(kind: .core, soft: 0, hard: 0)]
        }
        let plan = try ExecPlan(process: ProcessSpec(args: ["ls"]), spec: container)
        #expect(plan.process.capabilities.bounding == 0xa804_25fb)
        #expect(plan.process.process.noNewPrivileges && plan.process.limits.count == 1)
    }

    @Test(arguments: [
        StepFailure(step: "execve", path: "/bin/x", code: 2), StepFailure(step: "gate", code: 125),
        StepFailure(step: "mount", path: "/é", code: -1),
    ])
    func failuresTravel(failure: StepFailure) {
        #expect(StepFailure(decoding: failure.encoded()) == failure)
        #expect(StepFailure(decoding: Array(failure.encoded().dropLast())) == nil)
        #expect(StartReport(decoding: [2] + failure.encoded()) == .failed(failure))
        // execve itself failed.
        #expect(StartReport(decoding: [1, 2] + failure.encoded()) == .failed(failure))
        #expect(StartReport(decoding: [2] + failure.encoded().dropLast()) == .undecodable)
    }

    @Test func onlyAProcessThatSaysSoWasExecuted() {
        #expect(StartReport(decoding: [1]) == .executed)
        #expect(StartReport(decoding: []) == .ended)
        for bytes: [UInt8] in [[0], [1, 1], [2], [1, 2], [3, 1]] {
            #expect(StartReport(decoding: bytes) == .undecodable)
        }
    }

    @Test func failuresFitIntoOneWrite() {
        let long = StepFailure(step: "mount", path: String(repeating: "a", count: 9000), code: 36)
        #expect(long.encoded().count <= 4096)
        #expect(StepFailure(decoding: long.encoded())?.path.count == 4000)
        #expect(StepFailure(decoding: []) == nil)
    }
}
