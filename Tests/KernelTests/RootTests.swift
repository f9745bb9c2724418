// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSON
import RuntimeSpec
import System
import TestSupport
import Testing

/// What an image or a mount may try against the host.
@Suite(.needsRoot, .serialized)
struct RootTests {
    @Test func maskedAndReadOnlyPathsAre() throws {
        try Bundle.with { bundle throws in
            try Files.makeDirectories(bundle.root + "/secret/deep")
            try bundle.write("secret/file", "hidden")
            try bundle.write("etc/key", "hidden")
            let script =
                "ls /secret; cat /etc/key; touch /etc/x 2>/dev/null || echo ro; echo 1 > /proc/sys/kernel/msgmax || echo kernel; touch /tmp/y && echo rw"
            let run = try bundle.shell(script) {
                $0.linux.maskedPaths += ["/secret", "/etc/key", "/not/there"]
                $0.linux.readonlyPaths += ["/etc", "/neither"]
            }
            // A mask upon a file below a read-only path is made first as read-only, then covered.
            #expect(run.lines == ["ro", "kernel", "rw"])
        }
    }

    /// Whoever holds the host's node could change its mode and owner for everybody.
    @Test func theHostsNullDeviceStaysOutside() throws {
        let host = try Files.status(of: "/dev/null")
        let command = ["stat", "-L", "-c", "%t:%T %d:%i", "/proc/self/fd/0", "/dev/null", "/etc/key"]
        let exec = ProcessSpec(args: command, env: ["PATH=/bin"])
        func check(_ run: Bundle.Run, count: Int) {
            #expect(run.lines.count == count && run.lines.allSatisfy { $0.hasPrefix("1:3 ") }, "\(run)")
            #expect(!run.lines.contains("1:3 \(host.device):\(host.inode)"), "\(run.lines)")
        }
        try Bundle.with { bundle throws in
            try bundle.write("etc/key", "hidden")
            let own = try bundle.run(command) { $0.linux.maskedPaths = ["/etc/key", "/etc/group"] }
            check(own, count: 3)
            #expect(own.lines.first == own.lines.dropFirst().first)
            check(
                try bundle.run(["sleep", "30"], extra: ["exec": exec.json]) {
                    $0.linux.maskedPaths = ["/etc/key"]
                },
                count: 3
            )
            // Whatever an image has for one.
            try Files.makeDirectories(bundle.root + "/dev")
            try Files.makeFIFO(bundle.root + "/dev/null", permissions: 0o666, at: Files.currentDirectory)
            let odd = try bundle.run(["stat", "-L", "-c", "%t:%T %d:%i", "/proc/self/fd/0", "/etc/key"]) {
                $0.mounts.removeAll { $0.destination.hasPrefix("/dev") }
                $0.linux.devices = []
                $0.linux.maskedPaths = ["/etc/group", "/etc/key"]
            }
            check(odd, count: 2)
        }
    }

    /// The kernel lets nobody mount a `volatile` overlay twice; a container that is started again is to be.
    @Test func aVolatileRootCanBeMountedAgain() throws {
        try Bundle.with { bundle throws in
            let layers: JSON = [
                "lowerdir=\(bundle.root)", "upperdir=\(bundle.directory)/upper",
                "workdir=\(bundle.directory)/work", "volatile",
            ]
            let root: JSON = [["destination": "", "type": "overlay", "source": "overlay", "options": layers]]
            let command = ["sh", "-c", "cat /note; echo kept > /note; grep -c ' / .*volatile' /proc/mounts"]
            #expect(try bundle.run(command, extra: ["rootfs": root]).lines == ["1"])
            #expect(try bundle.run(command, extra: ["rootfs": root]).lines == ["kept", "1"])
        }
    }

    /// What covers a masked file cannot be uncovered, or written to, by way of the container's own device.
    @Test func aMaskIsTheContainersOwnNullDeviceReadOnly() throws {
        try Bundle.with { bundle throws in
            try bundle.write("etc/key", "hidden")
            let run = try bundle.shell(
                "stat -c %t:%T /etc/key; touch /etc/key 2>/dev/null || echo ro; rm /dev/null; cat /etc/key; echo end"
            ) {
                $0.linux.maskedPaths = ["/etc/key"]
            }
            #expect(run.lines == ["1:3", "ro", "end"])
        }
    }

    @Test func theRootCanBeReadOnly() throws {
        try Bundle.with { bundle throws in
            let run = try bundle.shell(
                "touch /x 2>/dev/null || echo ro; echo > /dev/null && echo dev; touch /dev/shm/x && echo shm"
            ) {
                $0.root?.isReadOnly = true
            }
            #expect(run.lines == ["ro", "dev", "shm"])
        }
    }

    @Test func devicesAreThoseOfTheSpec() throws {
        try Bundle.with { bundle throws in
            let script =
                "stat -c '%n %A %t:%T' /dev/null /dev/full; readlink /dev/stdin; mknod /tmp/k c 1 1 && cat /tmp/k || echo closed"
            let run = try bundle.shell(script)
            #expect(
                run.lines == [
                    "/dev/null crw-rw-rw- 1:3", "/dev/full crw-rw-rw- 1:7", "/proc/self/fd/0", "closed",
                ]
            )
        }
    }

    @Test func aBoundDevIsLeftAsItIs() throws {
        try Bundle.with { bundle throws in
            let host = bundle.directory + "/hostdev"
            try Files.makeDirectories(host + "/sub")
            try Files.replace(host + "/taken", with: Array("kept".utf8))
            let run = try bundle.shell("cat /dev/taken; ls /dev; ls /made") {
                $0.mounts.removeAll { $0.destination.hasPrefix("/dev") }
                $0.mounts.append(
                    MountSpec(
                        destination: "/dev/",
                        type: "bind",
                        source: host,
                        options: ["rbind", "rprivate"]
                    )
                )
                $0.linux.devices += ["/dev/taken", "/dev/sub/new", "/made/null"].map {
                    Device(path: $0, major: 1, minor: 3, fileMode: 0o600, uid: 7)
                }
            }
            #expect(run.output == "keptsub\ntaken\nnull\n", "\(run)")
            #expect(try Files.names(in: host) == ["sub", "taken"])
            #expect(try Files.names(in: host + "/sub").isEmpty)
            #expect(try Files.status(of: host + "/taken").user == 0)
        }
    }

    @Test func aSharedBindTravelsToTheHost() throws {
        try Bundle.with { bundle throws in
            let shared = bundle.directory + "/shared"
            try Files.makeDirectories(shared)
            try succeed("/bin/mount", ["-t", "tmpfs", "shared", shared])
            defer { _ = try? TestSupport.run("/bin/umount", ["-R", shared]) }
            try succeed("/bin/mount", ["--make-shared", shared])
            try Files.makeDirectories(shared + "/seen")
            try Files.makeDirectories(shared + "/unseen")
            let run = try bundle.shell("mount -t tmpfs x /seen/seen && mount -t tmpfs x /own/unseen; echo $?")
            {
                let administration = DockerDefaults.capabilities.union([.sysAdmin])
                $0.process?.capabilities = CapabilitySets(administration)
                $0.mounts += [("/seen", "rshared"), ("/own", "rslave")].map {
                    MountSpec(destination: $0.0, type: "bind", source: shared, options: ["rbind", $0.1])
                }
            }
            #expect(run.lines == ["0"], "\(run)")
            #expect(HostProcess.mounts(below: shared) == [shared + "/seen"])
        }
    }

    @Test func aJoinedProcessNamespaceIsWhatProcShows() throws {
        let holder = try ChildProcess("/usr/bin/unshare", ["-p", "-f", "--kill-child", "sleep", "60"])
        defer { holder.kill() }
        try Bundle.with { bundle throws in
            let path = "/proc/\(holder.pid)/ns/pid_for_children"
            try eventually("the namespace") {
                (try? Files.link(at: path)) != (try Files.link(at: "/proc/self/ns/pid"))
            }
            let run = try bundle.shell(
                "cat /proc/1/comm; ls -d /proc/[0-9]* | wc -l; test $$ -lt 20 && exit 3"
            ) {
                $0.linux.namespaces = $0.linux.namespaces.map {
                    $0.kind == .pid ? LinuxSpec.Namespace(.pid, path: path) : $0
                }
            }
            // The other's, the shell, and the two of the pipe.
            #expect(run.lines == ["sleep", "4"] && run.exitCode == 3, "\(run)")
        }
    }

    /// Whatever a specification says of devices, as runc does.
    @Test func someDevicesAreInEveryContainer() throws {
        try Bundle.with { bundle throws in
            let script =
                "for d in null zero full random urandom tty; do stat -c '%n %t:%T' /dev/$d; done; echo x > /dev/null"
            let run = try bundle.shell(script + "; mknod /tmp/m b 8 0 && cat /tmp/m || echo closed") {
                $0.linux.devices = [Device(path: "/dev/zero", major: 1, minor: 3)]
                $0.linux.resources.devices = [DeviceRule(allow: false)]
            }
            #expect(
                run.lines == [
                    "/dev/null 1:3", "/dev/zero 1:3", "/dev/full 1:7", "/dev/random 1:8", "/dev/urandom 1:9",
                    "/dev/tty 5:0", "closed",
                ],
                "\(run)"
            )
        }
    }

    @Test func mountsGoWhereTheyShould() throws {
        try Bundle.with { bundle throws in
            let host = bundle.directory + "/host"
            try Files.makeDirectories(host + "/sub")
            try Files.replace(host + "/file", with: Array("from the host".utf8))
            let run = try bundle.shell(
                "cat /data/file /one; touch /ro/x 2>/dev/null || echo ro; touch /data/made"
            ) {
                $0.mounts += [
                    MountSpec(
                        destination: "/data",
                        type: "bind",
                        source: host,
                        options: ["rbind", "rprivate"]
                    ),
                    MountSpec(destination: "/ro", type: "bind", source: host, options: ["rbind", "ro"]),
                    MountSpec(destination: "/one", type: "bind", source: host + "/file", options: ["bind"]),
                ]
            }
            #expect(run.output == "from the hostfrom the hostro\n")
            #expect(FileManager.default.fileExists(atPath: host + "/made"))
            let missing = try bundle.run(["true"]) {
                $0.mounts.append(
                    MountSpec(destination: "/data", type: "bind", source: host + "/nope", options: ["bind"])
                )
            }
            #expect(missing.failure == "mount /data 2")
        }
    }

    @Test func aKernelViewNeedsARealDirectory() throws {
        for name in ["proc", "sys"] {
            try Bundle.with { bundle throws in
                try bundle.link(name, to: "/tmp")
                #expect(try bundle.run(["true"]).failure == "mount /\(name) 40")
            }
        }
    }

    @Test func linksOfAnImageStayInside() throws {
        try Bundle.with { bundle throws in
            let outside = bundle.directory + "/outside"
            try Files.makeDirectories(outside)
            try bundle.link("dev", to: outside)
            try bundle.link("data", to: "../../../.." + outside)
            try bundle.link("loop", to: "loop")
            let run = try bundle.shell(
                "ls -d \(outside)/null; ls /data/; mount | grep -c ' /dev '; cat /data/x"
            ) {
                $0.mounts.append(
                    MountSpec(destination: "/data", type: "tmpfs", source: "tmpfs", options: ["mode=700"])
                )
                $0.linux.maskedPaths.append("/data/x")
                $0.linux.devices.append(Device(path: "/data/nodes/null", major: 1, minor: 3))
            }
            #expect(run.exitCode != nil)
            #expect(try Files.names(in: outside).isEmpty)
            let loop = try bundle.run(["true"]) {
                $0.mounts.append(MountSpec(destination: "/loop/x", type: "tmpfs", source: "tmpfs"))
            }
            #expect(loop.failure == "mount /loop/x 40")
        }
    }

    @Test func aUserDatabaseThatIsNoFileIsRefused() throws {
        try Bundle.with { bundle throws in
            try Files.unlink(bundle.root + "/etc/passwd")
            try Files.makeFIFO(bundle.root + "/etc/passwd", permissions: 0o666, at: Files.currentDirectory)
            let run = try bundle.run(["true"]) { $0.process?.user.username = "meg" }
            #expect(run.failure == "user /etc/passwd 22")
            #expect(try bundle.run(["true"]).exitCode == 0)
        }
    }

    @Test func thereIsNoWayBackToTheHost() throws {
        try Bundle.with { bundle throws in
            let script =
                "ls /.. /proc/1/root/ | grep -c lower; ls -1 /proc/1/fd; mount | grep -c \(bundle.directory)/root"
            #expect(try bundle.shell(script).lines == ["0", "0", "1", "2", "0"])
        }
    }

    @Test func sysctlsChangeOnlyTheContainer() throws {
        try Bundle.with { bundle throws in
            let file = "/proc/sys/net/ipv4/ip_unprivileged_port_start"
            let before = try Files.text(of: file)
            let run = try bundle.run(["cat", file]) {
                $0.linux.sysctl = ["net.ipv4.ip_unprivileged_port_start": "7"]
            }
            #expect(run.lines == ["7"])
            #expect(try Files.text(of: file) == before)
        }
    }

    @Test func aLongChainOfLayersMounts() throws {
        try Bundle.with { bundle throws in
            var layers: [JSON] = []
            for number in 0..<120 {
                let layer = "\(bundle.directory)/layer-with-a-rather-long-name-\(number)"
                try Files.makeDirectories(layer)
                try Files.replace("\(layer)/f\(number)", with: Array("\(number)".utf8))
                layers.append("lowerdir+=\(layer)")
            }
            layers.append("lowerdir+=\(bundle.root)")
            layers += ["upperdir=\(bundle.directory)/upper", "workdir=\(bundle.directory)/work"]
            let rootfs: JSON = [
                ["destination": "", "type": "overlay", "source": "overlay", "options": .array(layers)]
            ]
            let run = try bundle.run(["sh", "-c", "cat /f0 /f119; ls / | wc -l"], extra: ["rootfs": rootfs])
            #expect(run.output == "0119127\n" || run.output == "0119126\n")
        }
    }
}
