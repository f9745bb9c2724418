// SPDX-License-Identifier: Apache-2.0
import FileTrees
import Foundation
import System
import Tar
import TestSupport
import Testing

/// Packs a name of a directory, and unpacks it in another with rules.
private func pack(_ name: String, in directory: String, _ rules: PackRules = PackRules()) throws -> [UInt8] {
    let parent = try Files.open(directory, [.path, .directory])
    let sink = MemorySink()
    let writer = TarWriter(sink)
    let last = name.utf8.map { CChar(bitPattern: $0) } + [0]
    try TreePacker(writer, rules: rules).pack(last, in: parent.raw, as: Array(name.utf8))
    try writer.finish()
    return sink.bytes
}

private func unpack(_ bytes: [UInt8], in directory: String, prefix: String = "", keepsKinds: Bool = true)
    throws
{
    let root = try Files.open(directory, [.path, .directory])
    var rules = UnpackRules()
    rules.ownership = .process
    rules.keepsKinds = keepsKinds
    let unpacker = TreeUnpacker(root: root.raw, prefix: Array(prefix.utf8), rules: rules)
    let reader = TarReader(MemorySource(bytes, chunkBytes: 1_000))
    while let entry = try reader.next() { try unpacker.unpack(entry, from: reader) }
    try unpacker.finish()
}

private func write(_ path: String, _ text: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
}

private func read(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

@Suite(.serialized) struct TreeTests {
    @Test func aTreeComesOutAsItWent() throws {
        Threads.setFileCreationMask(0o022)
        try withTemporaryDirectory { directory in
            for name in ["from/tree/inner", "to"] { try Files.makeDirectories(directory + "/" + name) }
            let from = directory + "/from/tree"
            try write(from + "/file", "text")
            try write(from + "/inner/large", String(repeating: "0123456789abcdef", count: 100_000))
            try FileManager.default.linkItem(atPath: from + "/file", toPath: from + "/inner/hard")
            try FileManager.default.createSymbolicLink(
                atPath: from + "/link",
                withDestinationPath: "/etc/passwd"
            )
            try Files.makeFIFO(from + "/pipe", permissions: 0o622, at: Files.currentDirectory)
            let file = try Files.open(from + "/file", .readWrite)
            try Files.changeMode(ofDescriptor: file.raw, to: 0o4711)
            try Files.setAttribute("user.colour", to: [1, 0, 2], ofDescriptor: file.raw)
            try Files.setTimes(ofDescriptor: file.raw, seconds: 1_000, nanos: 123_456_789)
            try unpack(try pack("tree", in: directory + "/from"), in: directory + "/to")
            let to = directory + "/to/tree"
            let status = try Files.status(of: to + "/file")
            #expect(status.permissions == 0o4711 && status.linkCount == 2)
            #expect(status.modifiedSeconds == 1_000 && status.modifiedNanos == 123_456_789)
            #expect(try Files.attribute("user.colour", of: to + "/file") == [1, 0, 2])
            #expect(read(to + "/inner/hard") == "text" && read(to + "/inner/large")?.utf8.count == 1_600_000)
            #expect(try Files.linkTarget(of: to + "/link") == "/etc/passwd")
            #expect(try Files.status(of: to + "/pipe").kind == .fifo)
        }
    }

    @Test func nothingLeavesTheRoot() throws {
        try withTemporaryDirectory { directory in
            try Files.makeDirectories(directory + "/root/in")
            try Files.makeDirectories(directory + "/outside")
            func archive(_ body: (inout TarArchive) -> Void) -> [UInt8] {
                var tar = TarArchive()
                body(&tar)
                return tar.finished
            }
            // Names that climb.
            for name in ["../x", "a/../../x", "/../x"] {
                let bytes = archive { $0.add(.file, name, text: "x") }
                #expect(throws: ArchiveError.self) {
                    try unpack(bytes, in: directory + "/root", prefix: "in")
                }
            }
            // Links that lead out are made, and lead nowhere when something is put behind them.
            let bytes = archive {
                $0.add(.symbolicLink, "up", link: "../../outside")
                $0.add(.file, "up/x", text: "x")
            }
            try? unpack(bytes, in: directory + "/root/in")
            #expect(!Files.exists(directory + "/outside/x"))
            let absolute = archive {
                $0.add(.symbolicLink, "abs", link: directory + "/outside")
                $0.add(.file, "abs/x", text: "x")
            }
            try? unpack(absolute, in: directory + "/root/in")
            #expect(!Files.exists(directory + "/outside/x"))
            // A hard link to something outside.
            try write(directory + "/outside/secret", "s")
            for target in ["../../outside/secret", directory + "/outside/secret"] {
                let bytes = archive { $0.add(.hardLink, "hard", link: target) }
                #expect(throws: ArchiveError.self) {
                    try unpack(bytes, in: directory + "/root", prefix: "in")
                }
            }
            // A file through a link at its own place takes the link's place.
            try FileManager.default.createSymbolicLink(
                atPath: directory + "/root/in/l",
                withDestinationPath: directory + "/outside/secret"
            )
            try unpack(archive { $0.add(.file, "l", text: "new") }, in: directory + "/root/in")
            #expect(read(directory + "/outside/secret") == "s" && read(directory + "/root/in/l") == "new")
        }
    }

    @Test func linksInThePrefixAreFollowedWithinTheRoot() throws {
        try withTemporaryDirectory { directory in
            try Files.makeDirectories(directory + "/root/real")
            try FileManager.default.createSymbolicLink(
                atPath: directory + "/root/link",
                withDestinationPath: "/real"
            )
            var tar = TarArchive()
            tar.add(.file, "new/x", text: "x")
            try unpack(tar.finished, in: directory + "/root", prefix: "link")
            #expect(read(directory + "/root/real/new/x") == "x")
        }
    }

    @Test func kindsAreKept() throws {
        try withTemporaryDirectory { directory in
            try Files.makeDirectories(directory + "/d/full")
            try write(directory + "/f", "old")
            var fileOverDirectory = TarArchive()
            fileOverDirectory.add(.file, "d", text: "x")
            var directoryOverFile = TarArchive()
            directoryOverFile.add(.directory, "f")
            for tar in [fileOverDirectory, directoryOverFile] {
                #expect(throws: ArchiveError.self) { try unpack(tar.finished, in: directory) }
            }
            #expect(read(directory + "/f") == "old" && Files.exists(directory + "/d/full"))
            try unpack(fileOverDirectory.finished, in: directory, keepsKinds: false)
            try unpack(directoryOverFile.finished, in: directory, keepsKinds: false)
            #expect(read(directory + "/d") == "x")
            #expect(try Files.status(of: directory + "/f").kind == .directory)
        }
    }

    @Test func deepTreesAreRefused() throws {
        try withTemporaryDirectory { directory in
            var rules = PackRules()
            rules.depth = 3
            try Files.makeDirectories(directory + "/t/1/2/3")
            _ = try pack("t", in: directory, rules)
            try Files.makeDirectories(directory + "/t/1/2/3/4")
            #expect(throws: ArchiveError.self) { try pack("t", in: directory, rules) }
        }
    }

    @Test func whatIsNotThereIsAnError() throws {
        try withTemporaryDirectory { directory in
            try Files.makeDirectories(directory + "/other")
            #expect(throws: ArchiveError.self) { try pack("none", in: directory) }
        }
    }
}
