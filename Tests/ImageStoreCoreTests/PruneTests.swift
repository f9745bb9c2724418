// SPDX-License-Identifier: Apache-2.0
import ImageStoreCore
import OCI
import System
import TestSupport
import Testing

@Suite(.needsRoot) struct PruneTests {
    @Test func whatIsUsedOrTaggedStaysWhole() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/s"
            try await withStore(path) { store in
                let image = try #require(
                    try await store.load(TestImage.archive("a:1", layers: twoLayers())).first?.image
                )
                #expect(try await store.prune(["\(image.id)"], untaggedOnly: true).removed.deleted.isEmpty)
                let key = SnapshotKey(owner: "engine", key: "c")
                _ = try await store.prepareSnapshot(key, imageID: "\(image.id)")
                #expect(try await store.prune(["\(image.id)"], untaggedOnly: false).removed.deleted.isEmpty)
                #expect(try await store.image("a:1").references == ["a:1"])
                try await store.removeSnapshot(key)
                let pruned = try await store.prune(
                    ["\(image.id)", "sha256:none", "none"],
                    untaggedOnly: false
                )
                #expect(pruned.removed.untagged == ["a:1"])
                #expect(pruned.removed.deleted.first == "\(image.id)")
                #expect(pruned.reclaimedBytes > 10)
                #expect(try content(of: path) == [])
            }
        }
    }

    @Test func useOfTheDiskCountsEachLayerOnce() async throws {
        try await withTemporaryDirectory { directory in
            try await withStore(directory + "/s") { store in
                let layers = twoLayers()
                let both = try #require(
                    try await store.load(TestImage.archive("both:1", layers: layers)).first?.image
                )
                _ = try await store.load(TestImage.archive("lower:1", layers: [layers[0]]))
                #expect(both.layerBytes == [7, 3])
                let key = SnapshotKey(owner: "engine", key: "c")
                let snapshot = try await store.prepareSnapshot(key, imageID: "\(both.id)")
                try Files.replace(
                    snapshot.upperDirectory + "/f",
                    with: [UInt8](repeating: 1, count: 10_000),
                    mode: 0o644
                )
                let usage = try await store.usage(snapshotOwner: "engine", key: "")
                #expect(usage.layersBytes == 10 && usage.blobsBytes > 0)
                #expect(usage.images.map(\.sharedBytes) == [7, 7])
                #expect(usage.images.map(\.sizeBytes).sorted() == [7, 10])
                #expect(usage.snapshots.count == 1 && usage.snapshots[0].layersBytes == 10)
                #expect(usage.snapshots[0].writtenBytes >= 10_000)
                #expect(try await store.usage(snapshotOwner: "", key: "").snapshots.isEmpty)
                #expect(try await store.usage(snapshotOwner: "engine", key: "other").snapshots.isEmpty)
            }
        }
    }

    @Test func anAmbiguousPrefixNamesItsCandidates() async throws {
        try await withTemporaryDirectory { directory in
            try await withStore(directory + "/s") { store in
                // Among 17 images two ids begin with the same digit.
                var digits: [Character: Int] = [:]
                for number in 0..<17 {
                    var layer = TarArchive()
                    layer.add(.file, "f", text: "\(number)")
                    let archive = try TestImage.archive("i\(number):1", layers: [layer.finished])
                    let image = try await store.load(archive).first?.image
                    let id = try #require(image?.id.hex)
                    digits[try #require(id.first), default: 0] += 1
                }
                let digit = try #require(digits.first { $0.value > 1 }?.key)
                guard
                    case .ambiguousID(_, let candidates) = await reason({
                        _ = try await store.image(String(digit))
                    })
                else {
                    Issue.record("not ambiguous")
                    return
                }
                #expect(candidates.count == min(10, digits[digit] ?? 0))
                #expect(candidates.allSatisfy { $0.contains(" (i") && $0.hasSuffix(":1)") })
            }
        }
    }
}
