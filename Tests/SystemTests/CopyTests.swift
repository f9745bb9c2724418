// SPDX-License-Identifier: Apache-2.0
import Foundation
import System
import Testing
import TestSupport

@Suite(.serialized, .needsRoot)
struct CopyTests {
    private func write(_ path: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    private func read(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

    private func shell(_ suite: PetrelSuite, _ name: String, _ script: String) throws -> String {
        try suite.succeed("exec", name, "sh", "-c", script)
    }

    /// Containers of every kind that files are copied with: running, paused, created and exited.
    private static let states = ["running", "paused", "created", "exited"]

    private func make(_ state: String, _ suite: PetrelSuite) throws {
        let script = "mkdir -p /srv/d; echo old > /srv/d/old; echo up; [ $1 = exited ] || sleep 1000"
        let command = ["--name", "c", "busybox", "sh", "-c", script, "sh", state]
        guard state != "created" else {
            try suite.petrel(["create"] + command)
            return
        }
        try suite.petrel(["run", "-d"] + command)
        try suite.waitForLines("c", 1)
        if state == "exited" { try suite.waitUntil("c", is: "exited") }
        if state == "paused" { try suite.succeed("pause", "c") }
    }

    @Test(arguments: states) func filesGoInAndComeOut(_ state: String) throws {
        try withSuite { suite in
            try make(state, suite)
            try withTemporaryDirectory { directory in
                try write(directory + "/file", "content\n")
                try TestSupport.succeed("mkdir", ["-p", directory + "/tree/inner/deep"])
                try write(directory + "/tree/inner/deep/f", "deep\n")
                try TestSupport.succeed("ln", ["-s", "inner/deep", directory + "/tree/link"])
                try TestSupport.succeed("chown", ["1234:4321", directory + "/file"])
                try TestSupport.succeed("chmod", ["4711", directory + "/file"])
                try TestSupport.succeed("touch", ["-d", "2001-02-03T04:05:06.789", directory + "/file"])
                let file = try Files.open(directory + "/file", .readWrite)
                try Files.setAttribute("user.colour", to: Array("red".utf8), ofDescriptor: file.raw)
                try suite.succeed("cp", directory + "/file", "c:/etc/copied")
                try suite.succeed("cp", "-a", directory + "/file", "c:/etc/")
                try suite.succeed("cp", directory + "/tree", "c:/opt")
                // Out again: names, content, modes, times, attributes.
                try suite.succeed("cp", "c:/etc/copied", directory + "/back")
                #expect(read(directory + "/back") == "content\n")
                let stat = try TestSupport.succeed("stat", ["-c", "%a %Y %y %u", directory + "/back"]).text
                #expect(stat.hasPrefix("4711 ") && stat.contains(".789") && stat.hasSuffix(" 0"), "\(stat)")
                #expect(try Files.attribute("user.colour", of: directory + "/back") == Array("red".utf8))
                // Whose it is in the container shows in an archive of it.
                let listed = try suite.petrel("cp", "c:/etc/copied", "-")
                #expect(try owners(listed.stdoutBytes) == ["0/0 copied"])
                #expect(try owners(suite.petrel("cp", "c:/etc/file", "-").stdoutBytes) == ["1234/4321 file"])
                try suite.succeed("cp", "-a", "c:/etc/file", directory + "/owned")
                #expect(
                    try TestSupport.succeed("stat", ["-c", "%u:%g", directory + "/owned"]).text == "1234:4321"
                )
                // A directory of the same tree.
                try suite.succeed("cp", "c:/opt", directory + "/out")
                let place =
                    FileManager.default.fileExists(atPath: directory + "/out/tree") ? "/out/tree" : "/out"
                try TestSupport.succeed("diff", ["-r", directory + "/tree", directory + place])
                #expect(read(directory + place + "/link/f") == "deep\n")
            }
            if state == "running" { #expect(try shell(suite, "c", "cat /etc/copied") == "content") }
        }
    }

    /// "USER/GROUP NAME" of an archive's entries.
    private func owners(_ bytes: [UInt8]) throws -> [String] {
        try run("tar", ["--numeric-owner", "-tvf", "-"], stdin: .bytes(bytes)).lines.map { line in
            let fields = line.split(separator: " ")
            return "\(fields[1]) \(fields[5])"
        }
    }

    private func expectFailure(_ suite: PetrelSuite, _ from: String, _ to: String, _ why: String) throws {
        let outcome = try suite.petrel("cp", from, to)
        #expect(outcome.status == 1 && outcome.stderr.contains(why), "\(outcome)")
    }

    /// A container with a file and directories, and a directory here with the like.
    private func withBothSides(_ body: (PetrelSuite, String) throws -> Void) throws {
        try withSuite { suite in
            try suite.startShell("c", "mkdir -p /d/dir /d/made/sub; echo f > /d/file; echo up; sleep 1000")
            try suite.waitForLines("c", 1)
            try withTemporaryDirectory { here in
                try TestSupport.succeed("mkdir", ["-p", here + "/src/sub", here + "/dir"])
                try write(here + "/src/a", "a")
                try write(here + "/file", "f")
                try body(suite, here)
            }
        }
    }

    /// The table of Docker's manual.
    @Test func whatGoesInEndsUpWhereDockerPutsIt() throws {
        try withBothSides { suite, here in
            // A file.
            try suite.succeed("cp", here + "/file", "c:/d/new")
            try expectFailure(suite, here + "/file", "c:/d/none/", "no such directory")
            let noParent = "could not find the file /none in container c"
            try expectFailure(suite, here + "/file", "c:/none/x", noParent)
            try suite.succeed("cp", here + "/file", "c:/d/file")
            try suite.succeed("cp", here + "/file", "c:/d/dir")
            // A directory, and its content.
            try suite.succeed("cp", here + "/src", "c:/d/made3")
            try suite.succeed("cp", here + "/src/.", "c:/d/made2/")
            try expectFailure(suite, here + "/src", "c:/d/file", "cannot copy directory")
            try suite.succeed("cp", here + "/src", "c:/d/dir")
            try suite.succeed("cp", here + "/src/.", "c:d/dir")
            try expectFailure(suite, here + "/none", "c:/d", "ENOENT")
            try expectFailure(suite, here + "/file/", "c:/d", "ENOTDIR")
            #expect(
                try shell(suite, "c", "cd /d; find . | sort | tr '\\n' ' '")
                    == """
                    . ./dir ./dir/a ./dir/file ./dir/src ./dir/src/a ./dir/src/sub ./dir/sub ./file ./made \
                    ./made/sub ./made2 ./made2/a ./made2/sub ./made3 ./made3/a ./made3/sub ./new
                    """
            )
            // What is no copy at all.
            let noContainer = "must specify at least one container source"
            try expectFailure(suite, here + "/file", here + "/x", noContainer)
            try expectFailure(suite, "c:/d", "c:/e", "copying between containers is not supported")
            try expectFailure(suite, here + "/file", "nobody:/d", "no such container: nobody")
        }
    }

    @Test func whatComesOutEndsUpWhereDockerPutsIt() throws {
        try withBothSides { suite, here in
            try suite.succeed("cp", "c:/d/file", here + "/new")
            try expectFailure(suite, "c:/d/file", here + "/none/", "no such directory")
            try expectFailure(suite, "c:/d/file", here + "/none/x", "does not exist")
            try expectFailure(suite, "c:/d/file", here + "/file/", "not a directory")
            try suite.succeed("cp", "c:/d/file", here + "/dir")
            try suite.succeed("cp", "c:/d/made", here + "/out")
            try suite.succeed("cp", "c:/d/made/.", here + "/dir")
            try expectFailure(suite, "c:/d/made", here + "/file", "cannot copy directory")
            try expectFailure(suite, "c:/none", here, "could not find the file /none in container c")
            try expectFailure(suite, "c:/d/file/", here, "not a directory")
            try expectFailure(suite, "nobody:/d", here, "no such container: nobody")
            let names = try TestSupport.succeed("find", [here + "/dir", here + "/out"]).lines.sorted()
            #expect(
                names.map { String($0.dropFirst(here.count)) } == [
                    "/dir", "/dir/file", "/dir/sub", "/out", "/out/sub",
                ]
            )
        }
    }

    /// What the Docker API's `copyUIDGID` asks for, at the process that does it.
    @Test func whatIsWrittenForTheUserIsTheUsers() throws {
        try withSuite { suite in
            let id = try suite.succeed("create", "--name", "c", "--user", "1000:50", "busybox", "true")
            var archive = TarArchive()
            archive.add(.directory, "d/", mode: 0o755, owner: 7)
            archive.add(.file, "d/x", text: "x")
            archive.add(.file, "new/y", text: "y")
            let place = "--directory \(suite.root)/supervisor/containers/\(id) --path /tmp"
            let helper = "\(binaries)/petrel-keeper --archive write \(place) --for-user 3>/dev/null"
            let outcome = try run("bash", ["-c", helper], stdin: .bytes(archive.finished))
            #expect(outcome.status == 0, "\(outcome)")
            let found = try owners(suite.petrel("cp", "c:/tmp/.", "-").stdoutBytes).sorted()
            let users = ["1000/50 ./d/", "1000/50 ./d/x", "1000/50 ./new/", "1000/50 ./new/y"]
            #expect(found == ["0/0 ./"] + users)
        }
    }

    @Test func linksAreFollowedWhenAsked() throws {
        try withSuite { suite in
            try suite.startShell(
                "c",
                "mkdir /d; echo t > /d/t; ln -s /d/t /l; ln -s /d /ld; echo up; sleep 1000"
            )
            try suite.waitForLines("c", 1)
            try withTemporaryDirectory { here in
                try suite.succeed("cp", "c:/l", here + "/link")
                #expect(try FileManager.default.destinationOfSymbolicLink(atPath: here + "/link") == "/d/t")
                try suite.succeed("cp", "-L", "c:/l", here)
                #expect(read(here + "/l") == "t\n")
                // A slash at the end follows, and the name stays.
                try suite.succeed("cp", "c:/ld/", here)
                #expect(read(here + "/ld/t") == "t\n")
                // In: to where a link leads.
                try write(here + "/f", "new\n")
                try suite.succeed("cp", here + "/f", "c:/l")
                #expect(try shell(suite, "c", "cat /d/t; readlink /l") == "new\n/d/t")
                try suite.succeed("cp", here + "/f", "c:/ld")
                #expect(try shell(suite, "c", "cat /d/f") == "new")
                try TestSupport.succeed("ln", ["-s", "f", here + "/lf"])
                try suite.succeed("cp", here + "/lf", "c:/as-link")
                try suite.succeed("cp", "-L", here + "/lf", "c:/as-file")
                #expect(try shell(suite, "c", "readlink /as-link; cat /as-file") == "f\nnew")
            }
        }
    }

    @Test func archivesGoThroughPipes() throws {
        try withSuite { suite in
            try suite.startShell(
                "c",
                "mkdir /d; echo x > /d/x; ln /d/x /d/y; mkfifo /d/p; echo up; sleep 1000"
            )
            try suite.waitForLines("c", 1)
            let out = try suite.petrel("cp", "c:/d", "-")
            #expect(out.status == 0 && out.stdoutBytes.count % 512 == 0)
            #expect(try owners(out.stdoutBytes).map { $0.split(separator: " ")[1] }.sorted().first == "d/")
            try suite.petrel("cp", "-", "c:/tmp", stdin: .bytes(out.stdoutBytes))
            #expect(
                try shell(suite, "c", "cd /tmp/d; cat x y; stat -c %h x; stat -c %F p") == "x\nx\n2\nfifo"
            )
            // What is no archive, or goes nowhere.
            let bad = try suite.petrel("cp", "-", "c:/tmp", stdin: .bytes(Array(repeating: 65, count: 2_000)))
            #expect(bad.status == 1 && bad.stderr.contains("tar archive"), "\(bad)")
            let file = try suite.petrel("cp", "-", "c:/d/x", stdin: .bytes(out.stdoutBytes))
            #expect(file.status == 1 && file.stderr.contains("must be a directory"), "\(file)")
            let packed = try run("gzip", ["-c"], stdin: .bytes(out.stdoutBytes))
            let gzip = try suite.petrel("cp", "-", "c:/tmp", stdin: .bytes(packed.stdoutBytes))
            #expect(gzip.status == 1 && gzip.stderr.contains("compressed (gzip)"), "\(gzip)")
            // Hostile archives.
            var climbing = TarArchive()
            climbing.add(.file, "../../outside", text: "x")
            let refused = try suite.petrel("cp", "-", "c:/tmp", stdin: .bytes(climbing.finished))
            #expect(refused.status == 1 && refused.stderr.contains("out of the root"), "\(refused)")
            var through = TarArchive()
            through.add(.symbolicLink, "evil", link: "../../../../../../../../../../\(suite.directory)")
            through.add(.file, "evil/planted", text: "x")
            try suite.petrel("cp", "-", "c:/tmp", stdin: .bytes(through.finished))
            #expect(!FileManager.default.fileExists(atPath: suite.directory + "/planted"))
            // It is told.
            let until = String(format: "%.3f", Date().timeIntervalSince1970)
            let told = try suite.petrel("events", "--since", "1", "--until", until, "--format", "{{.Action}}")
            #expect(told.lines.contains("archive-path") && told.lines.contains("extract-to-dir"), "\(told)")
        }
    }

    @Test func mountsAndReadOnlyRootsAreMinded() throws {
        try withSuite { suite in
            try withTemporaryDirectory { here in
                try TestSupport.succeed("mkdir", ["-p", here + "/rw", here + "/ro", here + "/in"])
                try write(here + "/in/f", "f\n")
                let options = [
                    "-v", here + "/rw:/rw", "-v", here + "/ro:/ro:ro", "--tmpfs", "/tmp", "--read-only",
                ]
                try suite.startShell("c", "echo t > /tmp/t; echo up; sleep 1000", options: options)
                try suite.waitForLines("c", 1)
                func check(isRunning: Bool) throws {
                    try? FileManager.default.removeItem(atPath: here + "/rw/f")
                    try suite.succeed("cp", here + "/in/f", "c:/rw")
                    #expect(read(here + "/rw/f") == "f\n")
                    for place in ["c:/ro", "c:/etc"] {
                        let refused = try suite.petrel("cp", here + "/in/f", place)
                        #expect(refused.status == 1 && refused.stderr.contains("read-only"), "\(refused)")
                    }
                    try suite.succeed("cp", "c:/rw/f", here + "/back")
                    let memory = try suite.petrel("cp", "c:/tmp/t", here)
                    #expect((memory.status == 0) == isRunning, "\(memory)")
                }
                try check(isRunning: true)
                // The whole tree: without what the kernel shows in it, or its devices.
                try suite.succeed("cp", "c:/", here + "/all", within: 120)
                #expect(read(here + "/all/rw/f") == "f\n" && read(here + "/all/tmp/t") == "t\n")
                #expect(try FileManager.default.contentsOfDirectory(atPath: here + "/all/proc").isEmpty)
                #expect(try FileManager.default.contentsOfDirectory(atPath: here + "/all/dev").isEmpty)
                try suite.succeed("stop", "-t", "0", "c")
                try check(isRunning: false)
            }
        }
    }

    @Test func aStartDoesNotMeetACopy() throws {
        try withSuite { suite in
            try suite.succeed("create", "--name", "c", "busybox", "sh", "-c", "cat /etc/new; sleep 1000")
            var archive = TarArchive()
            archive.add(.file, "new", text: "new\n")
            let copy = try suite.background(["cp", "-", "c:/etc"], stdin: .pipe)
            try eventually("the copy's process") { copies(suite).first }
            let start = try suite.background(["start", "c"])
            pass(seconds: 0.5)
            // It waits, and what was copied is there.
            #expect(start.isRunning)
            _ = archive.finished.withUnsafeBytes { Foundation.write(copy.stdin, $0.baseAddress, $0.count) }
            copy.closeStdin()
            #expect(try copy.finish().status == 0)
            #expect(try start.finish().status == 0)
            try suite.waitForLines("c", 1)
            #expect(try suite.petrel("logs", "c").lines == ["new"])
        }
    }

    @Test func aTerminalIsToldOfASuccess() throws {
        try withSuite { suite in
            try suite.succeed("create", "--name", "c", "busybox", "true")
            try withTemporaryDirectory { here in
                try write(here + "/f", "x")
                func told(_ process: TerminalProcess) throws -> String {
                    #expect(try process.finish() == 0)
                    return process.errors
                }
                let text = try told(suite.inTerminal("cp", here + "/f", "c:/tmp/f"))
                #expect(text == "Successfully copied 2.05kB to c:/tmp/f\n")
                let back = try told(suite.inTerminal("cp", "c:/tmp/f", here + "/g"))
                #expect(back == "Successfully copied 2.05kB to \(here)/g\n")
                #expect(try told(suite.inTerminal("cp", "-q", here + "/f", "c:/tmp/f")) == "")
                #expect(try suite.petrel("cp", here + "/f", "c:/tmp/f").stderr == "")
            }
        }
    }

    // MARK: Deaths

    private func copies(_ suite: PetrelSuite) -> [Int32] {
        HostProcess.all(mentioning: suite.root).filter { $0.arguments[0] == "petrel-archive" }.map(\.pid)
    }

    /// Who dies in the midst of a copy: the process that does it, or a daemon on the way.
    private static let dying = ["copy", "supervisor", "engine"]

    @Test(arguments: dying, ["in", "out"]) func aDeathEndsACopyWithAnError(_ who: String, _ direction: String)
        throws
    {
        try withSuite { suite in
            try suite.startCounter("c")
            let copy: ChildProcess
            if direction == "in" {
                copy = try suite.background(["cp", "-", "c:/tmp"], stdin: .pipe)
                var archive = TarArchive()
                archive.add(.file, "part", text: "x", mode: 0o600)
                _ = archive.bytes.withUnsafeBytes { Foundation.write(copy.stdin, $0.baseAddress, $0.count) }
            } else {
                try suite.succeed("exec", "c", "dd", "if=/dev/zero", "of=/big", "bs=1M", "count=64")
                copy = try suite.background(["cp", "c:/big", "-"], stdout: .neverRead)
            }
            let pid = try eventually("the copy's process") { copies(suite).first }
            pass(seconds: 0.3)
            switch who {
            case "copy": try suite.kill(pid)
            case "supervisor": try suite.kill(.supervisor)
            default: try suite.kill(.engine)
            }
            // The client notices when it has something to say, or reads on.
            if direction == "in" {
                let more = [UInt8](repeating: 0, count: 4_096)
                _ = more.withUnsafeBytes { Foundation.write(copy.stdin, $0.baseAddress, $0.count) }
                copy.closeStdin()
            } else {
                var buffer = [UInt8](repeating: 0, count: 1 << 20)
                while Foundation.read(copy.unreadOutput, &buffer, buffer.count) > 0 {}
            }
            let outcome = try copy.finish(within: 30)
            #expect(outcome.status == 1 && outcome.stderr.contains("cp "), "\(outcome)")
            try eventually("the end of the copy's process") { copies(suite).isEmpty }
            try suite.waitUntilHealthy()
            try suite.expectCounting("c", atLeast: 5)
            #expect(HostProcess.mounts(below: suite.directory).isEmpty)
        }
    }

    @Test func aClientThatGoesEndsItsCopy() throws {
        try withSuite { suite in
            try suite.startCounter("c")
            let copy = try suite.background(["cp", "-", "c:/tmp"], stdin: .pipe)
            try eventually("the copy's process") { copies(suite).first }
            copy.kill()
            try eventually("the end of the copy's process") { copies(suite).isEmpty }
            // A container is removed in the midst of one.
            let other = try suite.background(["cp", "-", "c:/tmp"], stdin: .pipe)
            try eventually("the copy's process") { copies(suite).first }
            try suite.succeed("rm", "-f", "c")
            #expect(copies(suite).isEmpty)
            other.kill()
        }
    }

    // MARK: Hostile containers

    /// A container that swaps a directory for a link to the root, over and over, never shows a file of the host.
    @Test(.timeLimit(.minutes(3))) func swappedLinksNeverLeadToTheHost() throws {
        try withSuite { suite in
            try withTemporaryDirectory { here in
                let secret = here + "/secret"
                try write(secret, "a secret of the host\n")
                try write(here + "/plant", "guest\n")
                let script = """
                    mkdir -p /x/real\(here) /x/d; echo inside > /x/real\(secret);
                    ln -s / /x/l; ln -s ../../../../../../../../.. /x/m; echo up
                    while :; do mv /x/d /x/e; mv /x/l /x/d; mv /x/d /x/l; mv /x/m /x/d; mv /x/d /x/m; mv /x/e /x/d; done
                    """
                try suite.startShell("c", script)
                try suite.waitForLines("c", 1)
                for round in 0..<40 {
                    let outcome = try suite.petrel("cp", round % 2 == 0 ? "c:/x/d\(secret)" : "c:/x/d/", "-")
                    let text = String(decoding: outcome.stdoutBytes, as: UTF8.self)
                    #expect(!text.contains("a secret of the host"), "\(round)")
                    try suite.petrel("cp", here + "/plant", "c:/x/d\(here)/planted")
                    try suite.petrel("cp", here + "/plant", "c:/x/d/planted")
                }
                #expect(read(secret) == "a secret of the host\n")
                #expect(!FileManager.default.fileExists(atPath: here + "/planted"))
                #expect(!FileManager.default.fileExists(atPath: "/planted"))
            }
        }
    }

    /// Also where a container sees the process that copies its files, it gets nothing of the host through it.
    @Test func theCopyingProcessShowsNothing() throws {
        try withSuite { suite in
            try suite.startShell("c", "sleep 1000", options: ["--pid", "host"])
            let copy = try suite.background(["cp", "-", "c:/tmp"], stdin: .pipe)
            let pid = try eventually("the copy's process") { copies(suite).first }
            try eventually("the copy's process in the container") {
                try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/ns/mnt")
                    != FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/mnt")
            }
            for place in ["readlink fd/2", "readlink exe", "ls root/", "ls cwd/", "cat environ", "cat fd/2"] {
                let script = "cd /proc/\(pid) && \(place)"
                let outcome = try suite.petrel("exec", "c", "sh", "-c", script)
                #expect(outcome.status != 0 && outcome.text.isEmpty, "\(outcome)")
            }
            #expect(HostProcess.isAlive(pid))
            copy.closeStdin()
            _ = try copy.finish()
        }
    }

    /// What GNU tar reads of ours, and we of its.
    @Test func gnuTarAgrees() throws {
        try withSuite { suite in
            try suite.succeed("create", "--name", "c", "busybox", "true")
            try withTemporaryDirectory { here in
                let long = String(repeating: "n", count: 120)
                let deep = (0..<20).map { "directory\($0)" }.joined(separator: "/")
                try TestSupport.succeed("mkdir", ["-p", here + "/t/" + deep])
                try write(here + "/t/" + deep + "/" + long, "long\n")
                try TestSupport.succeed("ln", ["-s", String(repeating: "t", count: 300), here + "/t/link"])
                try TestSupport.succeed("chown", ["3000000:4000000", here + "/t/" + deep])
                try TestSupport.succeed("touch", ["-d", "1960-01-01T00:00:00.5Z", here + "/t/" + deep])
                try suite.succeed("cp", "-a", here + "/t", "c:/t")
                try TestSupport.succeed("mkdir", [here + "/gnu"])
                let archive = try suite.petrel("cp", "c:/t", "-").stdoutBytes
                let unpacked = try run("tar", ["-xf", "-", "-C", here + "/gnu"], stdin: .bytes(archive))
                // It finds the old time implausible, but takes it.
                #expect(unpacked.status == 0, "\(unpacked)")
                func listing(_ path: String, times: Bool = true) throws -> String {
                    let format = "%P %y %m %U %G %l" + (times ? " %T@\n" : "\n")
                    return try TestSupport.succeed("find", [path, "-printf", format]).stdout
                        .split(separator: "\n").sorted().joined(separator: "\n")
                }
                #expect(try listing(here + "/t") == listing(here + "/gnu/t"))
                for format in ["gnu", "pax"] {
                    let file = here + "/\(format).tar"
                    try TestSupport.succeed(
                        "tar",
                        ["--format=\(format)", "-cf", file, "-C", here + "/gnu", "t"]
                    )
                    try TestSupport.succeed("mkdir", [here + "/as-" + format])
                    try suite.succeed("cp", here + "/as-" + format, "c:/" + format)
                    try suite.petrel("cp", "-", "c:/" + format, stdin: .file(file))
                    try suite.succeed("cp", "-a", "c:/\(format)/t", here + "/back-" + format)
                    let back = try listing(here + "/back-\(format)/directory0", times: false)
                    #expect(try listing(here + "/t/directory0", times: false) == back)
                }
            }
        }
    }
}
