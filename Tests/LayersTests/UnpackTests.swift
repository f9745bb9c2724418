// SPDX-License-Identifier: Apache-2.0
import Foundation
import Layers
import OCI
import System
import Tar
import TestSupport
import Testing

private func unpack(_ tar: [UInt8], into path: String, limits: UnpackLimits = UnpackLimits()) throws
    -> UnpackedLayer
{
    Threads.setFileCreationMask(0o022)
    try Files.makeDirectories(path)
    let root = try Files.open(path, [.readOnly, .directory])
    // Odd chunks, so that headers and content lie across their borders.
    return try LayerStream.unpack(
        MemorySource(tar, chunkBytes: 1_337),
        into: root.raw,
        budget: UnpackBudget(limits)
    )
}

@Suite(.needsRoot) struct UnpackTests {
    @Test func everyKindOfEntryIsMade() throws {
        try withTemporaryDirectory { directory in
            var tar = TarArchive()
            tar.add(.directory, "./", mode: 0o711)
            tar.add(.directory, "d/", mode: 0o1777, owner: 7)
            tar.add(.file, "d/set", text: "x", mode: 0o4755)
            tar.add(.hardLink, "d/hard", link: "d/set")
            tar.add(.symbolicLink, "d/soft", link: "/etc/passwd")
            tar.add(.characterDevice, "d/null", mode: 0o666, device: (1, 3))
            tar.add(.fifo, "d/pipe", mode: 0o622)
            tar.addExtendedHeaders([
                ("SCHILY.xattr.user.colour", Array("red".utf8)), ("mtime", Array("1.25".utf8)),
            ])
            tar.add(.file, "implied/parent/file", text: "y")
            let name = String(repeating: "n", count: 200)
            tar.addExtendedHeader("path", Array(("d/" + name).utf8))
            tar.add(.file, "short", text: "long")
            let root = directory + "/r"
            let layer = try unpack(tar.finished, into: root)
            #expect(layer.root == RootAttributes(permissions: 0o711, user: 0, group: 0))
            #expect(layer.contentBytes == 6)
            #expect(try layer.diffID.hex == TestImage.sha256(tar.finished))
            #expect(try Files.status(of: root).permissions == 0o711)
            let folder = try Files.status(of: root + "/d")
            #expect((folder.permissions, folder.user, folder.modifiedSeconds) == (0o1777, 7, 0))
            let file = try Files.status(of: root + "/d/set")
            #expect((file.permissions, file.linkCount, file.modifiedSeconds) == (0o4755, 2, 0))
            #expect(try Files.linkTarget(of: root + "/d/soft") == "/etc/passwd")
            let device = try Files.status(of: root + "/d/null")
            #expect((device.kind, device.deviceMajor, device.deviceMinor) == (.characterDevice, 1, 3))
            #expect(device.permissions == 0o666)
            #expect(try Files.status(of: root + "/d/pipe").permissions == 0o622)
            #expect(
                try Files.attribute("user.colour", of: root + "/implied/parent/file") == Array("red".utf8)
            )
            #expect(try Files.status(of: root + "/implied/parent/file").modifiedNanos == 250_000_000)
            #expect(try Files.text(of: root + "/d/" + name) == "long")
        }
    }

    @Test func whiteoutsBecomeThoseOfOverlayfs() throws {
        try withTemporaryDirectory { directory in
            var tar = TarArchive()
            tar.add(.directory, "a/", mode: 0o755)
            tar.add(.file, "a/.wh.gone", text: "")
            tar.add(.directory, "b/", mode: 0o755)
            tar.add(.file, "b/.wh..wh..opq", text: "")
            tar.add(.file, ".wh..wh.plnk", text: "")
            tar.add(.file, "a/.wh.again", text: "")
            tar.add(.directory, "a/again/", mode: 0o755)
            tar.add(.directory, "a/before/", mode: 0o755)
            tar.add(.file, "a/.wh.before", text: "")
            tar.add(.file, "a/.wh.implied", text: "")
            tar.add(.file, "a/implied/file", text: "x")
            let root = directory + "/r"
            _ = try unpack(tar.finished, into: root)
            #expect(try Files.status(of: root + "/a/gone").isWhiteout)
            for path in ["/b", "/a/again", "/a/before", "/a/implied"] {
                #expect(try Files.attribute("trusted.overlay.opaque", of: root + path) == [0x79], "\(path)")
            }
            #expect(try Files.attribute("trusted.overlay.opaque", of: root + "/a") == nil)
            #expect(try Files.names(in: root) == ["a", "b"])
        }
    }

    @Test func setGroupDirectoriesDoNotHandDownTheirGroup() throws {
        try withTemporaryDirectory { directory in
            var tar = TarArchive()
            tar.add(.directory, "mail/", mode: 0o2775, owner: 8)
            tar.add(.file, "mail/root", text: "x", mode: 0o644)
            tar.add(.directory, "mail/sub/", mode: 0o755)
            let root = directory + "/r"
            _ = try unpack(tar.finished, into: root)
            #expect(try Files.status(of: root + "/mail").permissions == 0o2775)
            #expect(try Files.status(of: root + "/mail/root").group == 0)
            let folder = try Files.status(of: root + "/mail/sub")
            #expect((folder.permissions, folder.group) == (0o755, 0))
        }
    }

    @Test func attributesOfOverlayfsItselfAreDropped() throws {
        try withTemporaryDirectory { directory in
            var tar = TarArchive()
            tar.addExtendedHeader("SCHILY.xattr.trusted.overlay.redirect", Array("/../../etc".utf8))
            tar.add(.directory, "d/", mode: 0o755)
            _ = try unpack(tar.finished, into: directory + "/r")
            #expect(try Files.attribute("trusted.overlay.redirect", of: directory + "/r/d") == nil)
        }
    }

    private enum Hostile: String, CaseIterable {
        case dots, inner, hardOutside, hardAbsolute, hardThroughLink, writeThroughLink, linkedParent, rootLink
        case whiteoutOutside, whiteoutOfNothing, whiteoutOfParent, deep
    }

    private static func archive(_ kind: Hostile, victim: String) -> [UInt8] {
        var tar = TarArchive()
        switch kind {
        case .dots: tar.add(.file, "../victim/escaped", text: "x")
        case .inner: tar.add(.file, "a/../../victim/escaped", text: "x")
        case .hardOutside: tar.add(.hardLink, "stolen", link: "../victim/secret")
        case .hardAbsolute: tar.add(.hardLink, "stolen", link: victim + "/secret")
        case .hardThroughLink:
            tar.add(.symbolicLink, "out", link: victim)
            tar.add(.hardLink, "stolen", link: "out/secret")
        case .writeThroughLink:
            tar.add(.symbolicLink, "file", link: victim + "/secret")
            tar.add(.file, "file", text: "overwritten")
        case .linkedParent:
            tar.add(.symbolicLink, "out", link: victim)
            tar.add(.file, "out/escaped", text: "x")
        case .rootLink: tar.add(.symbolicLink, "./", link: victim)
        case .whiteoutOutside:
            tar.add(.symbolicLink, "out", link: "../victim")
            tar.add(.file, "out/.wh.secret", text: "")
        case .whiteoutOfNothing: tar.add(.file, ".wh.", text: "")
        case .whiteoutOfParent: tar.add(.file, "a/.wh...", text: "")
        case .deep: tar.add(.file, String(repeating: "d/", count: 40) + "f", text: "x")
        }
        return tar.finished
    }

    @Test("what leads out is refused or stays inside", arguments: Hostile.allCases)
    private func nothingLeavesTheRoot(kind: Hostile) throws {
        try withTemporaryDirectory { directory in
            let victim = directory + "/victim"
            try Files.makeDirectories(victim)
            try Files.replace(victim + "/secret", with: Array("secret".utf8))
            var limits = UnpackLimits()
            limits.depth = 30
            let isRefused: Bool
            do {
                _ = try unpack(Self.archive(kind, victim: victim), into: directory + "/r", limits: limits)
                isRefused = false
            } catch is ArchiveError {
                isRefused = true
            }
            // A file where a link was is no escape: the link is replaced.
            #expect(isRefused == (kind != .writeThroughLink))
            #expect(try Files.names(in: victim) == ["secret"])
            #expect(try Files.text(of: victim + "/secret") == "secret")
            #expect(try Files.status(of: victim + "/secret").linkCount == 1)
        }
    }

    @Test func laterEntriesReplaceEarlierOnes() throws {
        try withTemporaryDirectory { directory in
            var tar = TarArchive()
            tar.add(.directory, "a/", mode: 0o755)
            tar.add(.file, "a/inside", text: "x")
            tar.add(.file, "a", text: "now a file")
            tar.add(.file, "b", text: "file")
            tar.add(.directory, "b/", mode: 0o700)
            tar.add(.file, "b/inside", text: "y")
            let root = directory + "/r"
            _ = try unpack(tar.finished, into: root)
            #expect(try Files.text(of: root + "/a") == "now a file")
            #expect(try Files.text(of: root + "/b/inside") == "y")
        }
    }

    @Test func bombsEndAtTheirLimits() throws {
        try withTemporaryDirectory { directory in
            var tar = TarArchive()
            for index in 0..<20 { tar.add(.file, "f\(index)", content: Array(repeating: 0, count: 1_000)) }
            var limits = UnpackLimits()
            limits.entries = 10
            #expect(throws: ArchiveError.self) {
                try unpack(tar.finished, into: directory + "/a", limits: limits)
            }
            limits = UnpackLimits()
            limits.bytes = 5_000
            #expect(throws: ArchiveError.self) {
                try unpack(tar.finished, into: directory + "/b", limits: limits)
            }
        }
    }

    @Test func theLayersOfAnImageShareItsLimits() throws {
        try withTemporaryDirectory { directory in
            var tar = TarArchive()
            for index in 0..<20 { tar.add(.file, "f\(index)", content: Array(repeating: 0, count: 1_000)) }
            var few = UnpackLimits()
            few.entries = 30
            var small = UnpackLimits()
            small.bytes = 50_000
            for limits in [few, small] {
                let budget = UnpackBudget(limits)
                func layer(_ name: String) throws {
                    try Files.makeDirectories("\(directory)/\(name)")
                    let root = try Files.open("\(directory)/\(name)", [.readOnly, .directory])
                    _ = try LayerStream.unpack(MemorySource(tar.finished), into: root.raw, budget: budget)
                }
                try layer("a\(limits.entries)")
                #expect(throws: ArchiveError.self) { try layer("b\(limits.entries)") }
            }
        }
    }

    @Test func rememberedDirectoriesAreBounded() throws {
        try withTemporaryDirectory { directory in
            var limits = UnpackLimits()
            limits.nameBytes = 1_000
            var many = TarArchive()
            for index in 0..<10 { many.add(.directory, "d\(index)/", mode: 0o755) }
            #expect(throws: ArchiveError.self) {
                try unpack(many.finished, into: directory + "/a", limits: limits)
            }
            var same = TarArchive()
            for _ in 0..<10 { same.add(.directory, "d/", mode: 0o755) }
            #expect(throws: Never.self) {
                try unpack(same.finished, into: directory + "/b", limits: limits)
            }
        }
    }

    @Test("compressed streams are expanded, also of several members", arguments: ["gzip", "zstd"])
    func compressedStreams(program: String) throws {
        try withTemporaryDirectory { directory in
            var tar = TarArchive()
            tar.add(.file, "f", content: (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7 >> 3) })
            let bytes = tar.finished
            let middle = bytes.count / 3
            let parts = try [Array(bytes[..<middle]), Array(bytes[middle...])].map {
                try run(program, ["-c"], stdin: .bytes($0)).stdoutBytes
            }
            let whole = parts[0] + parts[1]
            let layer = try unpack(whole, into: directory + "/r")
            #expect(layer.diffID.hex == (try TestImage.sha256(bytes)))
            #expect(layer.blob.hex == (try TestImage.sha256(whole)))
            #expect(throws: ArchiveError.self) {
                try unpack(Array(whole.dropLast(9)), into: directory + "/cut")
            }
            var damaged = whole
            damaged[whole.count / 2] ^= 0x55
            #expect(throws: ArchiveError.self) { try unpack(damaged, into: directory + "/damaged") }
        }
    }
}
