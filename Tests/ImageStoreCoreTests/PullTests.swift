// SPDX-License-Identifier: Apache-2.0
import Foundation
import ImageStoreCore
import Registry
import System
import TestSupport
import Testing

extension ImageStore {
    func pull(_ reference: String) async throws -> InstalledImage {
        try await pull(reference, platform: "", plainHTTP: false, progress: ProgressBoard())
    }
}

@Suite(.needsRoot, .needsProgram("docker-registry"), .needsProgram("skopeo"), .serialized)
struct PullTests {
    /// A registry with one image of two layers, as long as `body` runs.
    private func withImage(_ body: (TestRegistry, String, String) async throws -> Void) async throws {
        try await withTemporaryDirectory { directory in
            let archive = directory + "/archive.tar"
            try Data(TestImage.archive("x:1", layers: twoLayers())).write(to: URL(fileURLWithPath: archive))
            try await withRegistry { registry in
                try registry.push(archive: archive, as: "team/app:1")
                try await body(registry, directory, "\(registry.address)/team/app:1")
            }
        }
    }

    @Test func manyPullsAtATimeMakeOneImage() async throws {
        try await withImage { _, directory, name in
            try await withStore(directory + "/s") { store in
                try await withThrowingTaskGroup(of: String.self) { group in
                    for _ in 0..<4 { group.addTask { "\(try await store.pull(name).image.id)" } }
                    var ids: Set<String> = []
                    for try await id in group { ids.insert(id) }
                    #expect(ids.count == 1)
                }
                #expect(try await store.pull(name).isUnchanged)
                #expect(try content(of: directory + "/s").count == 6)
            }
            // And another process finds it whole.
            try await withStore(directory + "/s") { store in
                let image = try await store.image(name)
                #expect(image.references == [name])
            }
        }
    }

    @Test func damagedContentIsRefusedAndNothingOfItStays() async throws {
        try await withImage { registry, directory, name in
            let blobs = try FileManager.default.subpathsOfDirectory(atPath: registry.storage).filter {
                $0.contains("/blobs/") && $0.hasSuffix("/data")
            }.map { registry.storage + "/" + $0 }
            let layer = try #require(
                blobs.first { path in (try? Files.contents(of: path).starts(with: [0x1f, 0x8b])) == true }
            )
            var bytes = try Files.contents(of: layer)
            bytes[bytes.count / 2] ^= 0xff
            try Data(bytes).write(to: URL(fileURLWithPath: layer))
            try await withStore(directory + "/s") { store in
                let error = await reason { _ = try await store.pull(name) }
                switch error {
                case .corrupt, .layer: break
                default: Issue.record("\(String(describing: error))")
                }
                try await store.collectGarbage()
                #expect(try content(of: directory + "/s") == [])
                #expect(try await store.images(matching: "").isEmpty)
            }
        }
    }

    @Test func absentImagesAndRegistriesAreNamed() async throws {
        try await withImage { registry, directory, name in
            try await withStore(directory + "/s") { store in
                let absent = await reason { _ = try await store.pull("\(registry.address)/team/none:1") }
                guard case .some(.registry(let refusal)) = absent, case .notFound = refusal else {
                    Issue.record("\(String(describing: absent))")
                    return
                }
                let platform = await reason {
                    _ = try await store.pull(
                        name,
                        platform: "linux/s390x",
                        plainHTTP: false,
                        progress: ProgressBoard()
                    )
                }
                guard case .some(.noSuchPlatform) = platform else {
                    Issue.record("\(String(describing: platform))")
                    return
                }
            }
        }
    }
}

@Suite(.needsRoot) struct BadArchiveTests {
    @Test func brokenAndHostileArchivesLeaveNothing() async throws {
        var hostile = TarArchive()
        hostile.add(.file, "../escape", text: "x")
        let good = try TestImage.archive("a:1", layers: twoLayers())
        let wrong = try TestImage.archive(
            "a:1",
            layers: twoLayers(),
            diffIDs: Array(repeating: "sha256:" + String(repeating: "0", count: 64), count: 2)
        )
        var evil = TarArchive()
        evil.add(.file, "../../escape", text: "x")
        let archives = [
            [], Array("not a tar".utf8), TarArchive().finished, Array(good.prefix(good.count / 2)), wrong,
            try TestImage.archive("a:1", layers: [evil.finished]), try TestImage.archive("BAD", layers: []),
        ]
        try await withTemporaryDirectory { directory in
            try await withStore(directory + "/s") { store in
                for (index, archive) in archives.enumerated() {
                    let error = await reason { _ = try await store.load(archive) }
                    #expect(error != nil, "archive \(index) was accepted")
                }
                try await store.collectGarbage()
                #expect(try content(of: directory + "/s") == [])
            }
        }
    }

    @Test func aFullDiskIsSaidAndUndone() async throws {
        var layer = TarArchive()
        layer.add(.file, "large", content: Array(repeating: 7, count: 9 << 20))
        let archive = try TestImage.archive("large:1", layers: [layer.finished])
        try await withTemporaryDirectory { directory in
            let disk = directory + "/disk"
            try Files.makeDirectories(disk)
            try succeed("mount", ["-t", "tmpfs", "-o", "size=14m", "petrel-test", disk])
            defer { _ = try? succeed("umount", ["-l", disk]) }
            try await withStore(disk + "/s") { store in
                let error = await reason { _ = try await store.load(archive) }
                guard case .diskFull = error else {
                    Issue.record("\(String(describing: error))")
                    return
                }
                #expect(try content(of: disk + "/s") == [])
                let small = try TestImage.archive("small:1", layers: twoLayers())
                #expect(try await store.load(small).count == 1)
            }
        }
    }
}
