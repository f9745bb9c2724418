// SPDX-License-Identifier: Apache-2.0
import Foundation
import ImageStoreCore
import OCI
import Registry
import System
import TestSupport
import Testing

/// What the store does about damage, leftovers and full disks.
@Suite(.needsRoot) struct RecoveryTests {
    private func loaded(_ store: ImageStore) async throws -> Image {
        try #require(try await store.load(TestImage.archive("a:1", layers: twoLayers())).first?.image)
    }

    @Test func whatCannotBeRemovedKeepsTheStoreFromNothing() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/s"
            try await withStore(path) { store in
                _ = try await store.load(TestImage.archive("a:1", layers: twoLayers()))
            }
            // A mount is the one thing that a removal does not touch.
            let places = [path + "/ingest/left/m", path + "/snapshots/left/m"]
            for place in places {
                try Files.makeDirectories(place)
                try succeed("mount", ["-t", "tmpfs", "petrel-test", place])
            }
            defer { for place in places { _ = try? succeed("umount", ["-l", place]) } }
            try await withStore(path) { store in
                let images = try await store.images(matching: "")
                #expect(images.count == 1)
            }
            #expect(places.allSatisfy { Files.exists($0) })
        }
    }

    /// As any other until then, but that nothing of it is synced.
    @Test func aTransientSnapshotEndsWithTheBoot() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/s"
            let keys = ["stays", "goes"].map { SnapshotKey(owner: "engine", key: $0) }
            let image = try await withStore(path) { store in
                let image = try await loaded(store)
                for key in keys {
                    let isTransient = key.key == "goes"
                    let made = try await store.prepareSnapshot(
                        key,
                        imageID: "\(image.id)",
                        isTransient ? .transient : .lasting
                    )
                    #expect(made.mounts.allSatisfy { $0.options.contains("volatile") == isTransient })
                    let again = try await store.prepareSnapshot(
                        key,
                        imageID: "\(image.id)",
                        isTransient ? .transient : .lasting
                    )
                    #expect(made == again)
                }
                return "\(image.id)"
            }
            // The same boot.
            let upper = try await withStore(path) { store in
                _ = try await store.snapshot(keys[0])
                return try await store.snapshot(keys[1]).upperDirectory
            }
            #expect(Files.exists(upper))
            // Another one.
            let script = """
                import sqlite3, sys
                with sqlite3.connect(sys.argv[1]) as catalog:
                    catalog.execute("UPDATE snapshot SET boot = 'another' WHERE boot <> ''")
                """
            try succeed("python3", ["-c", script, path + "/store.db"])
            try await withStore(path) { store in
                _ = try await store.snapshot(keys[0])
                #expect(await reason { _ = try await store.snapshot(keys[1]) } != nil)
                #expect(!Files.exists(upper))
                _ = try await store.prepareSnapshot(keys[1], imageID: image)
            }
        }
    }

    /// It is there for as long as the store's files are, and says what it is until it is to last.
    @Test func aProvisionalSnapshotIsToldFromOneThatLasts() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/s"
            let key = SnapshotKey(owner: "engine", key: "c")
            let (image, made) = try await withStore(path) { store in
                let image = try await loaded(store)
                return (
                    "\(image.id)", try await store.prepareSnapshot(key, imageID: "\(image.id)", .provisional)
                )
            }
            #expect(made.mounts.allSatisfy { !$0.options.contains("volatile") })
            try await withStore(path) { store in
                var listed = try await store.snapshots(of: "engine")
                #expect(listed.map(\.endurance) == [.provisional])
                // What lasts is not taken back.
                let asked: [(SnapshotEndurance, Bool)] = [
                    (.provisional, true), (.lasting, false), (.provisional, false),
                ]
                for (endurance, isProvisional) in asked {
                    let again = try await store.prepareSnapshot(key, imageID: image, endurance)
                    listed = try await store.snapshots(of: "engine")
                    #expect(again == made)
                    #expect(listed.map(\.endurance) == [isProvisional ? .provisional : .lasting])
                }
            }
        }
    }

    @Test func keepingASnapshotMakesNone() async throws {
        try await withTemporaryDirectory { directory in
            try await withStore(directory + "/s") { store in
                let key = SnapshotKey(owner: "engine", key: "c")
                let image = try await loaded(store)
                #expect(await reason { _ = try await store.keepSnapshot(key) } != nil)
                for endurance in [SnapshotEndurance.provisional, .lasting, .transient] {
                    let made = try await store.prepareSnapshot(key, imageID: "\(image.id)", endurance)
                    for _ in 0..<2 {
                        let kept = try await store.keepSnapshot(key)
                        #expect(kept == made)
                    }
                    let listed = try await store.snapshots(of: "engine")
                    #expect(listed.map(\.endurance) == [endurance == .transient ? .transient : .lasting])
                    try await store.removeSnapshot(key)
                }
            }
        }
    }

    /// Its owner asks whether it is there, and makes no new one in its place.
    @Test func whatWasLostBeforeItLastedIsForgotten() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/s"
            let keys = ["lost", "stays"].map { SnapshotKey(owner: "engine", key: $0) }
            let upper = try await withStore(path) { store in
                let image = try await loaded(store)
                for key in keys {
                    _ = try await store.prepareSnapshot(key, imageID: "\(image.id)", .provisional)
                }
                return try await store.snapshot(keys[0]).upperDirectory
            }
            // Its directory may have been there before what belongs into it.
            try Files.removeTree(upper)
            try await withStore(path) { store in
                let listed = try await store.snapshots(of: "engine")
                #expect(listed.map(\.key) == [keys[1]])
            }
        }
    }

    /// It was removed by force between the snapshot's making and its lasting.
    @Test func aSnapshotIsMadeToLastWithoutItsImage() async throws {
        try await withTemporaryDirectory { directory in
            try await withStore(directory + "/s") { store in
                let key = SnapshotKey(owner: "engine", key: "c")
                let image = try await loaded(store)
                let made = try await store.prepareSnapshot(key, imageID: "\(image.id)", .provisional)
                _ = try await store.remove("\(image.id)", force: true)
                let kept = try await store.keepSnapshot(key)
                #expect(made == kept)
            }
        }
    }

    /// To its owner it has never been, rather than that it could not be mounted.
    @Test func aSnapshotWithoutItsDirectoryIsNone() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/s"
            let key = SnapshotKey(owner: "engine", key: "c")
            let (image, upper) = try await withStore(path) { store in
                let image = try await loaded(store)
                let snapshot = try await store.prepareSnapshot(key, imageID: "\(image.id)")
                return ("\(image.id)", snapshot.upperDirectory)
            }
            try Files.removeTree(Files.parentPath(of: upper))
            try await withStore(path) { store in
                let again = try await store.prepareSnapshot(key, imageID: image)
                #expect(Files.exists(again.upperDirectory))
            }
        }
    }

    @Test func aSnapshotIsOfWhatTheCallerBelieves() async throws {
        try await withTemporaryDirectory { directory in
            try await withStore(directory + "/s") { store in
                let first = try await loaded(store)
                let second = try #require(
                    try await store.load(TestImage.archive("b:1", layers: [])).first?.image
                )
                func prepare(_ key: String, _ reference: String) async throws {
                    _ = try await store.prepareSnapshot(
                        SnapshotKey(owner: "engine", key: key),
                        imageID: "\(first.id)",
                        reference: reference
                    )
                }
                for reference in ["a:1", "\(first.id)", first.id.short] {
                    try await prepare(reference, reference)
                }
                for reference in ["b:1", "c:1", "\(second.id)"] {
                    await #expect(throws: ImageStoreError.self) { try await prepare("no", reference) }
                }
                try await store.tag("b:1", as: "a:1")
                await #expect(throws: ImageStoreError.self) { try await prepare("no", "a:1") }
                // Made before: it is there.
                try await prepare("a:1", "a:1")
            }
        }
    }

    @Test func aTagCannotStandForAnotherImagesID() async throws {
        try await withTemporaryDirectory { directory in
            try await withStore(directory + "/s") { store in
                let victim = try #require(
                    try await store.load(TestImage.archive("victim:1", layers: twoLayers())).first?.image
                )
                for name in ["\(victim.id)", "docker.io/library/\(victim.id)", "sha256:" + victim.id.short] {
                    let hostile = try TestImage.archive(name, layers: [])
                    #expect(await reason { _ = try await store.load(hostile) } != nil)
                    #expect(await reason { try await store.tag("victim:1", as: name) } != nil)
                }
                for text in ["\(victim.id)", victim.id.hex, victim.id.short, "sha256:" + victim.id.short] {
                    #expect(try await store.image(text).references == ["victim:1"])
                }
            }
        }
    }

    @Test func aFullDiskKeepsNothingFromBeingRemoved() async throws {
        try await withTemporaryDirectory { directory in
            let disk = directory + "/disk"
            try Files.makeDirectories(disk)
            try succeed("mount", ["-t", "tmpfs", "-o", "size=20m,nr_inodes=300", "petrel-test", disk])
            defer { _ = try? succeed("umount", ["-l", disk]) }
            try await withStore(disk + "/s") { store in
                let image = try await loaded(store)
                let key = SnapshotKey(owner: "engine", key: "c")
                let snapshot = try await store.prepareSnapshot(key, imageID: "\(image.id)")
                try Files.replace(snapshot.upperDirectory + "/file", with: [1], mode: 0o644)
                // No inode is left, so no directory can be made.
                for number in 0..<300 {
                    guard (try? Files.open(disk + "/x\(number)", [.writeOnly, .create])) != nil else { break }
                }
                try await store.removeSnapshot(key)
                #expect(!Files.exists(snapshot.upperDirectory))
                _ = try? Files.unlink(disk + "/x0")
                #expect(try await store.remove("a:1", force: false).deleted.contains("\(image.id)"))
                #expect(try content(of: disk + "/s") == [])
            }
        }
    }

    @Test func aLostConfigurationHidesNoOtherImage() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/s"
            try await withStore(path) { store in
                let archive = try TestImage.archive("lost:1", layers: twoLayers())
                let lost = try #require(try await store.load(archive).first?.image)
                _ = try await store.load(TestImage.archive("kept:1", layers: [], config: #""Cmd":["a"]"#))
                try Files.unlink(path + "/blobs/sha256/" + lost.id.hex)
                let listed = try await store.images(matching: "")
                #expect(listed.count == 2)
                #expect(listed.filter { $0.configuration == nil }.map(\.references) == [["lost:1"]])
                guard case .corrupt = await reason({ _ = try await store.image("lost:1") }) else {
                    Issue.record("an image without configuration was given")
                    return
                }
                // Loading it again mends it.
                _ = try await store.load(archive)
                #expect(try await store.image("lost:1").id == lost.id)
            }
        }
    }

    @Test func aDamagedBlobIsGotAnew() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/s"
            var layer = TarArchive()
            layer.add(.file, "f", content: [UInt8](repeating: 7, count: 50_000))
            let archive = try TestImage.archive("a:1", layers: [layer.finished])
            let digest = try TestImage.sha256(layer.finished)
            try await withStore(path) { store in _ = try await store.load(archive) }
            // The unpacked layer is gone and the blob is damaged, as by a disk that loses blocks.
            try Files.removeTree(path + "/layers/" + digest)
            let blob = path + "/blobs/sha256/" + digest
            var bytes = try Files.contents(of: blob)
            bytes[bytes.count / 2] ^= 1
            try Files.replace(blob, with: bytes, mode: 0o644)
            try await withStore(path) { store in
                _ = try await store.load(archive)
                #expect(try Files.contents(of: blob) == layer.finished)
                #expect(Files.exists(path + "/layers/" + digest + "/f"))
            }
        }
    }

    /// A wrong word about a layer must not take it from those who use it.
    @Test func aWholeBlobStaysWhateverAnImageSaysOfIt() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/s"
            try await withStore(path) { store in
                _ = try await store.load(TestImage.archive("a:1", layers: twoLayers()))
                let before = try content(of: path)
                let liar = Array(repeating: "sha256:" + String(repeating: "0", count: 64), count: 2)
                let lie = try TestImage.archive("b:1", layers: twoLayers(), diffIDs: liar)
                #expect(await reason { _ = try await store.load(lie) } != nil)
                try await store.collectGarbage()
                #expect(try content(of: path) == before)
            }
        }
    }

    @Test func anIndexMayNameOneManifestOften() async throws {
        try await withTemporaryDirectory { directory in
            try await withStore(directory + "/s") { store in
                let names = ["a:1", "b:2", "a:1"]
                let loaded = try await store.load(layoutArchive(names: names, copies: 2_000))
                #expect(loaded.count == 1)
                #expect(loaded.first?.image.references == ["a:1", "b:2"])
                #expect(loaded.first?.references.map(\.familiar) == ["a:1", "b:2"])
            }
        }
    }
}

/// An OCI layout of one image whose index names it `names.count` times, and `copies` times without a name.
private func layoutArchive(names: [String], copies: Int) throws -> [UInt8] {
    let configuration = Array(
        #"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#.utf8
    )
    let configurationDigest = try TestImage.sha256(configuration)
    let manifest = Array(
        """
        {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":\
        {"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:\(configurationDigest)",\
        "size":\(configuration.count)},"layers":[]}
        """.utf8
    )
    let digest = try TestImage.sha256(manifest)
    let descriptor = """
        "mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:\(digest)","size":\(manifest.count)
        """
    let named = names.map { #"{\#(descriptor),"annotations":{"io.containerd.image.name":"\#($0)"}}"# }
    let list = (named + Array(repeating: "{\(descriptor)}", count: copies)).joined(separator: ",")
    var archive = TarArchive()
    archive.add(.file, "oci-layout", text: #"{"imageLayoutVersion":"1.0.0"}"#)
    archive.add(.file, "index.json", text: #"{"schemaVersion":2,"manifests":[\#(list)]}"#)
    archive.add(.file, "blobs/sha256/" + configurationDigest, content: configuration)
    archive.add(.file, "blobs/sha256/" + digest, content: manifest)
    return archive.finished
}
