// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TestSupport

/// load, pull, images, rmi.
@Suite(.serialized, .needsRoot)
struct ImageTests {
    @Test(arguments: ["docker.tar", "docker.tar.gz", "docker.tar.zst", "oci.tar", "oci.tar.gz"])
    func everyArchiveFormatLoads(_ format: String) throws {
        try withSuite(image: false) { suite in
            try withTemporaryDirectory { directory in
                let path = try archive(format, in: directory)
                let outcome = try suite.petrel("load", "-i", path)
                #expect(outcome.status == 0 && outcome.stdout.contains("busybox:latest"), "\(outcome)")
                #expect(try suite.succeed("run", "--rm", "busybox", "echo", "works") == "works")
            }
        }
    }

    @Test func stdinLoadsToo() throws {
        try withSuite(image: false) { suite in
            let archive = try busyboxArchive.get()
            #expect(try suite.petrel("load", stdin: .file(archive)).status == 0)
            #expect(try suite.petrel("load", stdin: .file(archive)).status == 0)
            #expect(try suite.succeed("images", "-q").split(separator: "\n").count == 1)
        }
    }

    @Test func whatCannotBeReadIsToldAtOnce() throws {
        try withSuite(image: false) { suite in
            let outcome = try suite.petrel("load", "-i", "/etc", within: 10)
            #expect(outcome.status == 1 && outcome.stderr.contains("EISDIR"), "\(outcome)")
        }
    }

    /// A file can be read again.
    @Test func loadingOutlivesTheEngine() throws {
        try withSuite(image: false) { suite in
            let store = try suite.pid(of: .imageStore)
            Foundation.kill(store, SIGSTOP)
            let load = try suite.background(["load", "-i", busyboxArchive.get()])
            pass(seconds: 0.3)
            let engine = try suite.kill(.engine)
            Foundation.kill(store, SIGCONT)
            try suite.waitForSuccessor(of: engine, .engine)
            let outcome = try load.finish(within: 30)
            #expect(outcome.status == 0 && outcome.stdout == "Loaded image: busybox:latest\n", "\(outcome)")
        }
    }

    @Test func imagesHasDockersColumnsAndRmiRemoves() throws {
        try withSuite { suite in
            let lines = try suite.petrel("images").lines
            let head = try #require(lines.first)
            #expect(
                head.split(separator: " ").joined(separator: " ") == "REPOSITORY TAG IMAGE ID CREATED SIZE"
            )
            let fields = try #require(lines.last).split(separator: " ").map(String.init)
            #expect(fields.first == "busybox" && fields[1] == "latest" && fields[2].count == 12)
            let id = try suite.succeed("images", "-q", "--no-trunc")
            #expect(id.hasPrefix("sha256:") && id.count == 71)

            try suite.startShell("user", "sleep 1000")
            let refused = try suite.petrel("rmi", "busybox")
            #expect(
                refused.status == 1 && refused.stderr.contains("user") || refused.stderr.contains("in use")
                    || refused.stderr.contains("container"),
                "\(refused)"
            )
            try suite.succeed("rm", "-f", "user")
            let removed = try suite.petrel("rmi", "busybox")
            #expect(removed.status == 0 && removed.stdout.contains("Untagged: busybox:latest"), "\(removed)")
            #expect(removed.stdout.contains("Deleted: sha256:"), "\(removed)")
            #expect(try suite.succeed("images", "-q") == "")
            #expect(try suite.petrel("rmi", "busybox").status == 1)
            // The bytes go too, in the background.
            try eventually("removal of the blobs") { try blobs(of: suite).isEmpty }
        }
    }

    @Test(.needsProgram("docker-registry"), .needsProgram("skopeo"), arguments: [false, true])
    func pullFromARegistryOnLoopback(_ encrypted: Bool) throws {
        try withRegistry(encrypted: encrypted) { registry in
            try registry.push(archive: busyboxArchive.get(), as: "team/busybox:1.0")
            try withSuite(image: false) { suite in
                let name = "\(registry.address)/team/busybox:1.0"
                let outcome = try suite.petrel("pull", name)
                let lines = outcome.stdout.split(separator: "\n").map(String.init)
                #expect(outcome.status == 0 && lines.count == 3, "\(outcome)")
                #expect(lines.first?.hasPrefix("Digest: sha256:") == true)
                #expect(lines.dropFirst() == ["Status: Downloaded newer image for \(name)", name])
                #expect(try suite.succeed("run", "--rm", name, "echo", "pulled") == "pulled")
                // Without a terminal: a line for each change of state.
                #expect(outcome.stderr.contains("\n") && !outcome.stderr.contains("\u{1b}"), "\(outcome)")
                let other = try suite.petrel("pull", "--platform", "linux/s390x", name)
                #expect(other.status == 1 && other.stderr.contains("s390x"), "\(other)")
                let again = try suite.petrel("pull", name)
                #expect(again.status == 0 && again.stdout.contains("up to date"), "\(again)")
                let absent = try suite.petrel("pull", "\(registry.address)/team/absent:1")
                #expect(absent.status == 1 && absent.stderr.contains("absent"), "\(absent)")
                // `run` pulls what is not here.
                try suite.succeed("rmi", name)
                #expect(try suite.succeed("run", "--rm", name, "echo", "again") == "again")
            }
        }
    }

    @Test(.needsProgram("docker-registry"), .needsProgram("skopeo"))
    func credentialsComeFromDockersFile() throws {
        try withRegistry(access: .password) { registry in
            try registry.push(archive: busyboxArchive.get(), as: "team/busybox:1.0")
            let name = "\(registry.address)/team/busybox:1.0"
            try withTemporaryDirectory { directory in
                let file = directory + "/config.json"
                try withSuite(image: false, environment: ["PETREL_REGISTRY_CREDENTIALS": file]) { suite in
                    let refused = try suite.petrel("pull", name)
                    #expect(refused.status == 1 && refused.stderr.contains("log in"), "\(refused)")
                    // Read anew for each pull.
                    let user = TestRegistry.user
                    let secret = Data("\(user.name):\(user.password)".utf8).base64EncodedString()
                    let text = #"{"auths":{"\#(registry.address)":{"auth":"\#(secret)"}}}"#
                    try Data(text.utf8).write(to: URL(fileURLWithPath: file))
                    #expect(try suite.petrel("pull", "-q", name).stdout == name + "\n")
                }
            }
        }
    }

    /// Another name that the image had before is not what was pulled or loaded.
    @Test(.needsProgram("docker-registry"), .needsProgram("skopeo"))
    func pullAndLoadNameWhatWasAskedFor() throws {
        try withRegistry { registry in
            try registry.push(archive: busyboxArchive.get(), as: "z/busybox:1.0")
            try registry.push(archive: busyboxArchive.get(), as: "a/busybox:1.0")
            try withSuite(image: false) { suite in
                for path in ["a/busybox:1.0", "z/busybox:1.0"] {
                    let name = "\(registry.address)/\(path)"
                    let outcome = try suite.petrel("pull", name)
                    #expect(outcome.lines.suffix(2) == ["Status: Downloaded newer image for \(name)", name])
                }
                let loaded = try suite.petrel("load", "-i", busyboxArchive.get())
                #expect(loaded.stdout == "Loaded image: busybox:latest\n", "\(loaded)")
            }
        }
    }

    @Test func pullFromNobodySaysSo() throws {
        try withSuite(image: false) { suite in
            let outcome = try suite.petrel("pull", "127.0.0.1:1/x/y:z")
            #expect(outcome.status == 1 && outcome.stderr.contains("127.0.0.1:1"), "\(outcome)")
        }
    }

    /// Whiteouts, opaque directories, hard links, devices, modes, long names, extended attributes.
    @Test func layersKeepWhatTarCanSay() throws {
        try withSuite(image: false) { suite in
            let archive = try TestImage.archive(
                "layered:1",
                layers: [TestImage.busyboxLayer(), lower(), upper()]
            )
            try withTemporaryDirectory { directory in
                try Data(archive).write(to: URL(fileURLWithPath: directory + "/a.tar"))
                try suite.succeed("load", "-i", directory + "/a.tar")
            }
            let long = String(repeating: "n", count: 180)
            let cases = [
                ("ls /d", "kept"),
                ("ls /opaque", "new"),
                ("test -e /removed || echo gone", "gone"),
                ("stat -c %i /hard /d/kept | uniq | wc -l", "1"),
                ("stat -c '%a %F' /suid", "4755 regular file"),
                ("stat -c '%t %T %F' /dev-null", "1 3 character special file"),
                ("stat -c %u:%g /owned", "1234:1234"),
                ("cat /\(long)", "long"),
                ("readlink /link", "/d/kept"),
                ("stat -c %F /fifo", "fifo"),
                ("stat -c %a /sticky", "1777"),
            ]
            for (script, expected) in cases {
                let outcome = try suite.petrel("run", "--rm", "layered:1", "sh", "-c", script)
                #expect(outcome.text == expected, "\(outcome)")
            }
        }
    }

    private func lower() -> [UInt8] {
        var layer = TarArchive()
        layer.add(.directory, "d/", mode: 0o755)
        layer.add(.file, "d/kept", text: "kept")
        layer.add(.file, "d/whited", text: "x")
        layer.add(.file, "removed", text: "x")
        layer.add(.directory, "opaque/", mode: 0o755)
        layer.add(.file, "opaque/old", text: "x")
        layer.add(.file, "suid", content: [1], mode: 0o4755)
        layer.add(.file, "owned", content: [1], owner: 1234)
        layer.add(.characterDevice, "dev-null", device: (1, 3))
        layer.add(.fifo, "fifo")
        layer.add(.directory, "sticky/", mode: 0o1777)
        layer.addExtendedHeader("path", Array(String(repeating: "n", count: 180).utf8))
        layer.add(.file, "short-name", text: "long")
        return layer.finished
    }

    private func upper() -> [UInt8] {
        var layer = TarArchive()
        layer.add(.file, "d/.wh.whited")
        layer.add(.file, ".wh.removed")
        layer.add(.directory, "opaque/", mode: 0o755)
        layer.add(.file, "opaque/.wh..wh..opq")
        layer.add(.file, "opaque/new", text: "x")
        layer.add(.file, "hardsource", text: "x")
        layer.add(.symbolicLink, "link", link: "/d/kept")
        layer.add(.file, "d/kept", text: "kept")
        layer.add(.hardLink, "hard", link: "d/kept")
        layer.add(.file, ".wh.hardsource2")
        return layer.finished
    }

    private func archive(_ format: String, in directory: String) throws -> String {
        let docker = try busyboxArchive.get()
        var path = directory + "/a.tar"
        if format.hasPrefix("oci") {
            try succeed(
                "skopeo",
                [
                    "--insecure-policy", "copy", "docker-archive:\(docker)",
                    "oci-archive:\(path):busybox:latest",
                ]
            )
        } else {
            try succeed("cp", [docker, path])
        }
        if format.hasSuffix(".gz") {
            try succeed("gzip", [path])
            path += ".gz"
        } else if format.hasSuffix(".zst") {
            try succeed("zstd", ["-q", path])
            path += ".zst"
        }
        return path
    }
}

/// The digests of all blobs in a suite's image store.
func blobs(of suite: PetrelSuite) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: suite.root + "/image-store/blobs/sha256")
}
