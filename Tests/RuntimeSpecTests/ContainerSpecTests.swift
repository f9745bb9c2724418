// SPDX-License-Identifier: Apache-2.0
import JSON
import RuntimeSpec
import Testing

struct ContainerSpecTests {
    static let text = #"""
        {"ociVersion":"1.2.0","process":{"terminal":true,"consoleSize":{"height":24,"width":80},
        "user":{"uid":1000,"gid":100,"umask":63,"additionalGids":[4,5],"username":"me:users"},"args":["sh","-c","x"],
        "env":["PATH=/bin","EMPTY="],"cwd":"/home",
        "capabilities":{"bounding":["CAP_CHOWN","CAP_KILL"],"effective":["CAP_KILL"],"permitted":["CAP_KILL"]},
        "rlimits":[{"type":"RLIMIT_NOFILE","hard":18446744073709551615,"soft":1024}],"noNewPrivileges":true,
        "oomScoreAdj":-5,"scheduler":{"policy":"SCHED_OTHER"}},
        "root":{"path":"rootfs","readonly":true},"hostname":"h","domainname":"d",
        "mounts":[{"destination":"/proc","type":"proc","source":"proc"},
        {"destination":"/data","source":"/srv","options":["rbind","ro"]}],
        "annotations":{"b":"2","a":"1"},"somethingNew":{"x":[1,2]},
        "linux":{"namespaces":[{"type":"pid"},{"type":"network","path":"/run/netns/x"}],
        "uidMappings":[{"containerID":0,"hostID":1000,"size":10}],
        "devices":[{"path":"/dev/fuse","type":"c","major":10,"minor":229,"fileMode":438,"uid":0,"gid":0}],
        "cgroupsPath":"/a/b","resources":{"memory":{"limit":1048576,"swap":2097152},
        "cpu":{"shares":512,"quota":50000,"period":100000,"cpus":"0-1"},"pids":{"limit":10},
        "devices":[{"allow":false,"access":"rwm"},{"allow":true,"type":"c","major":1,"minor":-1,"access":"rw"}],
        "unified":{"memory.high":"1"}},
        "seccomp":{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,"architectures":["SCMP_ARCH_X86_64"],
        "syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW",
        "args":[{"index":1,"value":18446744073709551615,"op":"SCMP_CMP_EQ"}]}]},
        "maskedPaths":["/proc/kcore"],"readonlyPaths":["/proc/sys"],"sysctl":{"net.ipv4.ip_forward":"1"},
        "rootfsPropagation":"rslave"}}
        """#

    @Test func everyFieldIsRead() throws {
        let spec = try ContainerSpec(parsing: Array(Self.text.utf8))
        let process = try #require(spec.process)
        #expect(
            process.user
                == .init(uid: 1000, gid: 100, umask: 0o77, additionalGids: [4, 5], username: "me:users")
        )
        #expect(process.rlimits == [.init(kind: .openFiles, soft: 1024, hard: .max)])
        #expect(process.capabilities?.bounding == [.chown, .kill])
        #expect(process.env == ["PATH=/bin", "EMPTY="])
        #expect(process.noNewPrivileges && process.terminal && process.oomScoreAdj == -5)
        #expect(spec.root == .init(path: "rootfs", isReadOnly: true))
        #expect(spec.mounts[1].isBind)
        #expect(spec.linux.namespace(.network)?.path == "/run/netns/x")
        #expect(spec.linux.namespace(.user) == nil)
        #expect(spec.linux.resources.memory?.swap == 2_097_152)
        #expect(spec.linux.resources.cpu?.quotaMicros == 50000)
        #expect(spec.linux.resources.devices[1].minor == nil)
        #expect(spec.linux.seccomp?.rules[0].arguments[0].value == .max)
        #expect(spec.linux.rootfsPropagation == .rslave)
        #expect(spec.linux.devices[0].fileMode == 0o666)
    }

    @Test func whatIsWrittenReadsEqual() throws {
        let spec = try ContainerSpec(parsing: Array(Self.text.utf8))
        #expect(try ContainerSpec(parsing: spec.json.serialized()) == spec)
        let docker = DockerDefaults.spec(process: ProcessSpec(args: ["sh"]), kernelRelease: "6.1.0")
        #expect(try ContainerSpec(parsing: docker.json.serialized(pretty: true)) == docker)
        let process = try #require(spec.process)
        #expect(try ProcessSpec(parsing: process.json.serialized()) == process)
    }

    @Test(arguments: [
        (
            #""process":{"cwd":"/","args":["a"]},"linux":{"resources":{"memory":{"limit":"1"}}}"#,
            "linux.resources.memory.limit: must be a number"
        ),
        (#""process":{"cwd":"tmp","args":["a"]}"#, "process.cwd: must be an absolute path"),
        (#""process":{"cwd":"/","args":[]}"#, "process.args: must name a program"),
        (#""process":{"cwd":"/","args":["a"],"env":["A=1","=2"]}"#, "process.env[1]: must be NAME=value"),
        (#""process":{"cwd":"/","args":["a\u0000b"]}"#, "process.args[0]: must not contain a NUL character"),
        (
            #""process":{"cwd":"/","args":["a"],"user":{"uid":-1}}"#,
            "process.user.uid: must be from 0 to 2147483647"
        ),
        (
            #""process":{"cwd":"/","args":["a"],"user":{"gid":4294967295}}"#,
            "process.user.gid: must be from 0 to 2147483647"
        ),
        (
            #""process":{"cwd":"/","args":["a"],"user":{"additionalGids":[5,4294967295]}}"#,
            "process.user.additionalGids[1]: must be from 0 to 2147483647"
        ),
        (
            #""process":{"cwd":"/","args":["a"],"user":{"uid":1.5}}"#,
            "process.user.uid: must be a whole number"
        ),
        (
            #""process":{"cwd":"/","args":["a"],"oomScoreAdj":2000}"#,
            "process.oomScoreAdj: must be from -1000 to 1000"
        ),
        (
            #""process":{"cwd":"/","args":["a"],"rlimits":[{"type":"RLIMIT_CORE","hard":1,"soft":2}]}"#,
            "process.rlimits[0].soft: must not exceed hard"
        ),
        (#""process":[]"#, "process: must be an object"),
        (#""mounts":[{"destination":"/a"}]"#, "mounts[0].type: must be given"),
        (
            #""mounts":[{"destination":"/a","type":"bind"}]"#,
            "mounts[0].source: must be given for a bind mount"
        ),
        (#""mounts":{}"#, "mounts: must be an array"),
        (#""root":{}"#, "root.path: must be given"),
        (#""annotations":{"a":1}"#, "annotations.a: must be a string"),
        (
            #""linux":{"namespaces":[{"type":"pid"},{"type":"pid"}]}"#,
            "linux.namespaces[1].type: pid is given twice"
        ),
        (#""linux":{"maskedPaths":["x"]}"#, "linux.maskedPaths[0]: must be an absolute path"),
        (
            #""linux":{"resources":{"cpu":{"cpus":"0;1"}}}"#,
            "linux.resources.cpu.cpus: must be a list such as 0-3,7"
        ),
        (
            #""linux":{"resources":{"unified":{"../x":"1"}}}"#,
            #"linux.resources.unified: "../x" is no file name"#
        ),
        (
            #""linux":{"seccomp":{"defaultAction":"SCMP_ACT_NOTIFY"}}"#,
            "linux.seccomp: SCMP_ACT_NOTIFY is not supported"
        ),
        (#""linux":{"seccomp":{}}"#, "linux.seccomp.defaultAction: must be given"),
    ])
    func errorsNameThePlace(member: String, message: String) {
        let text = #"{"ociVersion":"1.0.2",\#(member)}"#
        let error = #expect(throws: SpecError.self) { try ContainerSpec(parsing: Array(text.utf8)) }
        #expect(error?.description == message)
    }

    @Test(arguments: ["", "[]", "null", "{", #"{"a":1,"a":2}"#, "{}"])
    func whatIsNoSpecIsRefused(text: String) {
        #expect(throws: SpecError.self) { try ContainerSpec(parsing: Array(text.utf8)) }
    }

    @Test func unknownChoicesListTheKnownOnes() {
        let text = #"{"ociVersion":"1.0.2","linux":{"namespaces":[{"type":"space"}]}}"#
        let error = #expect(throws: SpecError.self) { try ContainerSpec(parsing: Array(text.utf8)) }
        #expect(
            error?.problem
                == #"unknown value "space"; known are pid, network, mount, ipc, uts, user, cgroup, time"#
        )
    }
}
