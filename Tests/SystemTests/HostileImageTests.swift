// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TestSupport

/// Archives and layers made to break things: refused with an error or contained, never followed, and nothing is left.
@Suite(.serialized, .needsRoot)
struct HostileImageTests {
    @Test func layersStayBelowTheirRoot() throws {
        try withSuite { suite in
            try withTemporaryDirectory { directory in
                let target = directory + "/outside"
                try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
                try Data("safe".utf8).write(to: URL(fileURLWithPath: target + "/secret"))
                for (name, layer) in escapes(to: target) {
                    let archive = try TestImage.archive(
                        "hostile:1",
                        layers: [TestImage.busyboxLayer(), layer]
                    )
                    let outcome = try suite.petrel("load", stdin: .bytes(archive))
                    if outcome.status == 0 {
                        let seen = try suite.petrel(
                            "run",
                            "--rm",
                            "hostile:1",
                            "sh",
                            "-c",
                            "cat /stolen 2>/dev/null; true"
                        )
                        #expect(!seen.stdout.contains("safe"), "\(name) shows a file of the host")
                        try suite.petrel("rmi", "-f", "hostile:1")
                    } else {
                        #expect(outcome.status == 1 && !outcome.stderr.isEmpty, "\(name): \(outcome)")
                    }
                    let left = try FileManager.default.contentsOfDirectory(atPath: target)
                    #expect(left == ["secret"], "\(name) wrote outside: \(left)")
                    let secret = try String(contentsOfFile: target + "/secret", encoding: .utf8)
                    #expect(secret == "safe", "\(name) changed a file outside")
                    #expect(suite.remainsOfContainers() == [], "\(name)")
                }
                #expect(try suite.succeed("run", "--rm", "busybox", "echo", "fine") == "fine")
            }
        }
    }

    private func layer(_ build: (inout TarArchive) -> Void) -> [UInt8] {
        var archive = TarArchive()
        build(&archive)
        return archive.finished
    }

    private func escapes(to target: String) -> [(name: String, layer: [UInt8])] {
        let up = String(repeating: "../", count: 40) + target.dropFirst()
        return [
            ("a path with ..", layer { $0.add(.file, up + "/planted", text: "x") }),
            ("an absolute path", layer { $0.add(.file, target + "/planted", text: "x") }),
            ("a hard link outside", layer { $0.add(.hardLink, "stolen", link: up + "/secret") }),
            ("an absolute hard link", layer { $0.add(.hardLink, "stolen", link: target + "/secret") }),
            ("a whiteout outside", layer { $0.add(.file, up + "/.wh.secret") }),
            ("a whiteout of the parent", layer { $0.add(.file, "d/.wh...") }),
            ("a link as parent", layer(linkedTo: target) { $0.add(.file, "way/planted", text: "x") }),
            ("a relative link as parent", layer(linkedTo: up) { $0.add(.file, "way/planted", text: "x") }),
            (
                "a hard link through a link",
                layer(linkedTo: target) { $0.add(.hardLink, "stolen", link: "way/secret") }
            ),
            (
                "a file over a link",
                layer(linkedTo: target + "/secret") { $0.add(.file, "way", text: "changed") }
            ),
            (
                "a directory over a link",
                layer(linkedTo: target) {
                    $0.add(.directory, "way/", mode: 0o777)
                    $0.add(.file, "way/planted", text: "x")
                }
            ),
        ]
    }

    private func layer(linkedTo target: String, _ build: (inout TarArchive) -> Void) -> [UInt8] {
        layer {
            $0.add(.symbolicLink, "way", link: target)
            build(&$0)
        }
    }

    @Test func brokenArchivesAreRefused() throws {
        try withSuite { suite in
            let cases = try notImages() + brokenImages()
            let before = try blobs(of: suite).sorted()
            for (name, archive) in cases {
                let outcome = try suite.petrel("load", stdin: .bytes(archive))
                #expect(outcome.status == 1, "\(name): \(outcome)")
                #expect(outcome.stderr.count > 10 && outcome.stderr.count < 1000, "\(name): \(outcome)")
                #expect(try suite.succeed("images", "-q").split(separator: "\n").count == 1, "\(name)")
            }
            #expect(suite.remainsOfContainers() == [])
            try eventually("the blobs of before") { try blobs(of: suite).sorted() == before }
            #expect(try suite.succeed("run", "--rm", "busybox", "echo", "fine") == "fine")
        }
    }

    private func notImages() -> [(name: String, archive: [UInt8])] {
        let absent = #"[{"Config":"c.json","RepoTags":["a:b"],"Layers":["l.tar"]}]"#
        return [
            ("nothing", []),
            ("no archive", Array("this is no archive, but it is longer than a header of gzip".utf8)),
            ("noise", (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 7919 &+ $0 >> 3) }),
            ("an empty tar", TarArchive().finished),
            ("no manifest", single("other.json", "{}")),
            ("a manifest that is no JSON", single("manifest.json", "[{")),
            ("an empty manifest", single("manifest.json", "[]")),
            ("a manifest of the wrong shape", single("manifest.json", #"{"Config":7}"#)),
            ("absent files", single("manifest.json", absent)),
            ("deep JSON", single("manifest.json", String(repeating: "[", count: 100_000))),
            (
                "an oversize manifest",
                single("manifest.json", "[" + String(repeating: " ", count: 20 << 20) + "]")
            ),
            ("an oversize entry", oversize()),
        ]
    }

    private func brokenImages() throws -> [(name: String, archive: [UInt8])] {
        let whole = [UInt8](FileManager.default.contents(atPath: try busyboxArchive.get()) ?? Data())
        let layer = try TestImage.busyboxLayer()
        let liar = "sha256:" + String(repeating: "0", count: 64)
        return [
            ("a truncated one", Array(whole.prefix(whole.count / 2))),
            ("a truncated gzip", Array(try gzip(whole).prefix(5000))),
            ("a layer with another digest", try TestImage.archive("bad:1", layers: [layer], diffIDs: [liar])),
            (
                "more layers than digests",
                try TestImage.archive("bad:1", layers: [layer, layer], diffIDs: [liar])
            ),
            ("a layer that is no tar", try TestImage.archive("bad:1", layers: [Array("no tar at all".utf8)])),
            ("a truncated layer", try TestImage.archive("bad:1", layers: [Array(layer.prefix(700_000))])),
        ]
    }

    private func single(_ name: String, _ text: String) -> [UInt8] {
        var archive = TarArchive()
        archive.add(.file, name, text: text)
        return archive.finished
    }

    /// An entry whose header promises 8 GiB and that ends after a block.
    private func oversize() -> [UInt8] {
        var archive = TarArchive()
        archive.add(.file, "manifest.json", content: [0x5b], size: 0o77777777777)
        return archive.bytes
    }

    private func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
        try run("gzip", ["-c"], stdin: .bytes(bytes)).stdoutBytes
    }

    @Test(.needsProgram("docker-registry"), .needsProgram("skopeo"))
    func aRegistryThatLiesIsNotBelieved() throws {
        try withRegistry { registry in
            try registry.push(archive: busyboxArchive.get(), as: "liar:1")
            // Other bytes under the layer's digest, of the same length.
            let storage = registry.storage
            let found = try succeed("find", [storage, "-name", "data", "-size", "+100k"]).lines
            let path = try #require(found.first)
            var bytes = [UInt8](FileManager.default.contents(atPath: path) ?? Data())
            bytes[bytes.count / 2] ^= 0x55
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            try withSuite(image: false) { suite in
                let outcome = try suite.petrel("pull", "\(registry.address)/liar:1")
                #expect(outcome.status == 1, "\(outcome)")
                #expect(try suite.succeed("images", "-q") == "")
                suite.expectNoRemains()
            }
        }
    }
}
