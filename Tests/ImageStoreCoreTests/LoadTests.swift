// SPDX-License-Identifier: Apache-2.0
import Foundation
import ImageStoreCore
import Logging
import OCI
import Registry
import System
import TestSupport
import Testing

/// A store in a directory of its own, closed at the end.
func withStore<R>(
    _ path: String,
    isolation: isolated (any Actor)? = #isolation,
    credentials: @escaping @Sendable (String) -> RegistryCredentials? = { _ in nil },
    _ body: (ImageStore) async throws -> R
) async throws -> R {
    let client = RegistryClient(logger: quiet, credentials: credentials)
    let store: ImageStore
    do {
        store = try await ImageStore(path: path, registry: client, faults: .off, logger: quiet)
    } catch {
        await client.shutdown()
        throw error
    }
    let result: Result<R, any Error>
    do { result = .success(try await body(store)) } catch { result = .failure(error) }
    store.close()
    await client.shutdown()
    return try result.get()
}

var quiet: Logger {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
}

extension ImageStore {
    /// Loads an archive that is fed in odd pieces.
    func load(_ archive: [UInt8], platform: String = "") async throws -> [InstalledImage] {
        try await load(platform: platform, progress: ProgressBoard()) { writer in
            for start in stride(from: 0, to: archive.count, by: 10_007) {
                try await writer.write(Array(archive[start..<min(archive.count, start + 10_007)]))
            }
        }
    }
}

/// A layer with a file, and one above that removes it and adds another.
func twoLayers() -> [[UInt8]] {
    var lower = TarArchive()
    lower.add(.directory, "./", mode: 0o751)
    lower.add(.directory, "etc/", mode: 0o755)
    lower.add(.file, "etc/old", text: "old")
    lower.add(.file, "etc/both", text: "both")
    var upper = TarArchive()
    upper.add(.directory, "etc/", mode: 0o755)
    upper.add(.file, "etc/.wh.old", text: "")
    upper.add(.file, "etc/new", text: "new")
    return [lower.finished, upper.finished]
}

/// What is in a store besides its empty shape.
func content(of path: String) throws -> [String] {
    try ["blobs/sha256", "layers", "snapshots", "ingest"].flatMap { folder in
        try FileManager.default.contentsOfDirectory(atPath: path + "/" + folder).map { folder + "/" + $0 }
    }.filter { $0 != "layers/empty" }.sorted()
}

func reason(_ body: () async throws -> Void) async -> ImageStoreError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? ImageStoreError
    }
}

@Suite(.needsRoot) struct LoadTests {
    @Test func aDockerArchiveBecomesAnImageWithASnapshot() async throws {
        try await withTemporaryDirectory { directory in
            try await withStore(directory + "/s") { store in
                let archive = try TestImage.archive("team/app:1", layers: twoLayers())
                let loaded = try await store.load(archive)
                let image = try #require(loaded.first?.image)
                #expect(image.references == ["team/app:1"])
                #expect(loaded.first?.isUnchanged == false)
                #expect(image.sizeBytes == 10)
                #expect(try await store.load(archive).first?.isUnchanged == true)

                let key = SnapshotKey(owner: "engine", key: "c1")
                let snapshot = try await store.prepareSnapshot(key, imageID: "\(image.id)")
                #expect(try await store.prepareSnapshot(key, imageID: "\(image.id)") == snapshot)
                #expect(snapshot.lowerDirectories.count == 2)
                #expect(try Files.status(of: snapshot.upperDirectory).permissions == 0o751)
                let options = snapshot.mounts[0].options
                #expect(options.count == 4)
                let mountable =
                    options.filter { !$0.hasPrefix("lowerdir+") } + [
                        "lowerdir=" + snapshot.lowerDirectories.joined(separator: ":")
                    ]
                try succeed("mkdir", [directory + "/m"])
                try succeed(
                    "mount",
                    ["-t", "overlay", "-o", mountable.joined(separator: ","), "x", directory + "/m"]
                )
                defer { _ = try? succeed("umount", [directory + "/m"]) }
                #expect(try succeed("ls", [directory + "/m/etc"]).lines == ["both", "new"])
            }
        }
    }

    @Test func afterTheLastNameNothingIsLeft() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/s"
            try await withStore(path) { store in
                let image = try #require(
                    try await store.load(TestImage.archive("a:1", layers: twoLayers())).first?.image
                )
                try await store.tag("a:1", as: "b:2")
                let key = SnapshotKey(owner: "engine", key: "c")
                _ = try await store.prepareSnapshot(key, imageID: "\(image.id)")
                #expect(try await store.remove("a:1", force: false).untagged == ["a:1"])
                guard case .imageInUse = await reason({ _ = try await store.remove("b:2", force: false) })
                else {
                    Issue.record("removed although a snapshot uses it")
                    return
                }
                #expect(try await store.remove("b:2", force: true).deleted.contains("\(image.id)"))
                // The snapshot keeps its layers.
                #expect(try await store.snapshot(key).lowerDirectories.allSatisfy { Files.exists($0) })
                try await store.removeSnapshot(key)
                try await store.removeSnapshot(key)
                try await store.collectGarbage()
                #expect(try content(of: path) == [])
            }
        }
    }

    @Test func anImageWithoutLayersHasASnapshot() async throws {
        try await withTemporaryDirectory { directory in
            try await withStore(directory + "/s") { store in
                let image = try #require(
                    try await store.load(TestImage.archive("empty:1", layers: [])).first?.image
                )
                let snapshot = try await store.prepareSnapshot(
                    SnapshotKey(owner: "e", key: "k"),
                    imageID: "\(image.id)"
                )
                #expect(snapshot.lowerDirectories.count == 1)
                #expect(snapshot.lowerDirectories.allSatisfy { Files.exists($0) })
            }
        }
    }
}
