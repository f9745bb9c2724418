// SPDX-License-Identifier: Apache-2.0
import Foundation
import ImageStoreCore
import OCI
import Registry
import System
import TestSupport
import Testing

/// Pulls from a real registry that is behind a bad line, asks who is there, or has images for several platforms.
@Suite(
    .needsRoot,
    .needsProgram("docker-registry"),
    .needsProgram("skopeo"),
    .needsProgram("curl"),
    .serialized
)
struct RealRegistryTests {
    private func push(_ archive: [UInt8], to registry: TestRegistry, as name: String, in directory: String)
        throws
    {
        try Data(archive).write(to: URL(fileURLWithPath: directory + "/archive.tar"))
        try registry.push(archive: directory + "/archive.tar", as: name)
    }

    private func largeImage() throws -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        var layer = TarArchive()
        // What cannot be compressed is as large on the wire.
        let noise = (0..<(3 << 17)).flatMap { _ in
            withUnsafeBytes(of: generator.next()) { Array($0) }
        }
        layer.add(.file, "noise", content: noise)
        return try TestImage.archive("large:1", layers: [layer.finished])
    }

    @Test func aDownloadGoesOnWhereTheConnectionBroke() async throws {
        try await withTemporaryDirectory { directory in
            try await withRegistry { registry in
                try push(largeImage(), to: registry, as: "team/large:1", in: directory)
                try await withCuttingProxy(to: registry.address, cuttingAfter: 1 << 20) { proxy in
                    try await withStore(directory + "/s") { store in
                        let pulled = try await store.pull("\(proxy.address)/team/large:1")
                        #expect(pulled.image.sizeBytes == 3 << 20)
                        #expect(proxy.cuts >= 2 && proxy.ranges >= 2, "\(proxy.cuts) \(proxy.ranges)")
                    }
                }
            }
        }
    }

    @Test func aLineThatBringsNextToNothingIsGivenUp() async throws {
        try await withTemporaryDirectory { directory in
            try await withRegistry { registry in
                try push(largeImage(), to: registry, as: "team/large:1", in: directory)
                try await withCuttingProxy(to: registry.address, cuttingAfter: 20_000) { proxy in
                    try await withStore(directory + "/s") { store in
                        let error = await reason { _ = try await store.pull("\(proxy.address)/team/large:1") }
                        guard case .some(.registry(.interrupted)) = error else {
                            Issue.record("\(String(describing: error))")
                            return
                        }
                        try await store.collectGarbage()
                        #expect(try content(of: directory + "/s") == [])
                    }
                }
            }
        }
    }

    /// By basic authentication, and by a token that another server gives for them.
    @Test(arguments: [TestRegistry.Access.password, .token])
    func aRegistryThatAsksGetsUserAndPassword(access: TestRegistry.Access) async throws {
        try await withTemporaryDirectory { directory in
            try await withRegistry(access: access) { registry in
                try push(
                    TestImage.archive("x:1", layers: twoLayers()),
                    to: registry,
                    as: "team/app:1",
                    in: directory
                )
                let name = "\(registry.address)/team/app:1"
                try await withStore(directory + "/s") { store in
                    let error = await reason { _ = try await store.pull(name) }
                    guard case .some(.registry(.unauthorized)) = error else {
                        Issue.record("\(String(describing: error))")
                        return
                    }
                }
                let wrong = RegistryCredentials(user: TestRegistry.user.name, password: "wrong")
                try await withStore(directory + "/s", credentials: { _ in wrong }) { store in
                    let error = await reason { _ = try await store.pull(name) }
                    guard case .some(.registry(.unauthorized)) = error else {
                        Issue.record("\(String(describing: error))")
                        return
                    }
                }
                let right = RegistryCredentials(
                    user: TestRegistry.user.name,
                    password: TestRegistry.user.password
                )
                let address = registry.address
                try await withStore(directory + "/s", credentials: { $0 == address ? right : nil }) { store in
                    let pulled = try await store.pull(name)
                    #expect(pulled.image.references == [name])
                }
            }
        }
    }

    @Test func anIndexGivesEachPlatformItsImage() async throws {
        try await withTemporaryDirectory { directory in
            try await withRegistry { registry in
                for architecture in ["amd64", "arm64"] {
                    let archive = try TestImage.archive(
                        "x:1",
                        layers: twoLayers(),
                        architecture: architecture
                    )
                    try push(archive, to: registry, as: "team/app:\(architecture)", in: directory)
                }
                let digest = try registry.pushIndex(
                    "team/app",
                    tag: "all",
                    of: [("amd64", "amd64"), ("arm64", "arm64")]
                )
                let name = "\(registry.address)/team/app"
                try await checkArchive(of: "\(registry.address)/team/app:all", in: directory)
                try await withStore(directory + "/s") { store in
                    func pull(_ reference: String, _ platform: String) async throws -> InstalledImage {
                        try await store.pull(
                            reference,
                            platform: platform,
                            plainHTTP: false,
                            progress: ProgressBoard()
                        )
                    }
                    let tagged = try await pull(name + ":all", "linux/arm64")
                    #expect(tagged.image.configuration.platform.architecture == "arm64")
                    #expect("\(tagged.digest)" == digest)
                    #expect(tagged.references.map(\.familiar) == [name + ":all"])
                    // The same digest for another platform takes the place of the first, and stays.
                    for architecture in ["amd64", "arm64", "amd64"] {
                        let pulled = try await pull("\(name)@\(digest)", "linux/" + architecture)
                        #expect(pulled.image.configuration.platform.architecture == architecture)
                        #expect(pulled.references.map(\.familiar) == ["\(name)@\(digest)"])
                        try await store.collectGarbage()
                        #expect(try await store.image("\(name)@\(digest)").id == pulled.image.id)
                    }
                }
            }
        }
    }

    /// The same in an archive: each platform is there to be chosen, and this machine's where none is.
    private func checkArchive(of name: String, in directory: String) async throws {
        let file = directory + "/all.tar"
        let copy = ["--insecure-policy", "copy", "--all", "--src-tls-verify=false"]
        try succeed(
            "skopeo",
            copy + ["docker://\(name)", "oci-archive:\(file):all:1"]
        )
        let archive = try [UInt8](Data(contentsOf: URL(fileURLWithPath: file)))
        try await withStore(directory + "/loaded") { store in
            for architecture in ["arm64", "amd64"] {
                let loaded = try await store.load(archive, platform: "linux/" + architecture)
                #expect(loaded.map(\.image.configuration.platform.architecture) == [architecture])
            }
            let refused = await reason { _ = try await store.load(archive, platform: "linux/s390x") }
            guard case .noSuchPlatform(_, "linux/s390x", let available) = refused else {
                Issue.record("\(String(describing: refused))")
                return
            }
            #expect(available.sorted() == ["linux/amd64", "linux/arm64"])
            let own = try await store.load(archive)
            #expect(own.map(\.image.configuration.platform) == [.current])
        }
    }
}

@Suite(.needsRoot) struct ImageEventTests {
    @Test func whatHappensIsToldInOrderAndOverRestarts() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/s"
            let archive = try TestImage.archive("a:1", layers: twoLayers())
            let first = try await withStore(path) { store in
                _ = try await store.load(archive)
                try await store.tag("a:1", as: "b:2")
                return try await store.eventPosition()
            }
            #expect(first.sequence == 2)
            try await withStore(path) { store in
                _ = try await store.remove("a:1", force: false)
                _ = try await store.remove("b:2", force: false)
                let all = try await told(store, after: ImageEventPosition(journal: "", sequence: 0), count: 5)
                #expect(
                    all.map { "\($0.action.rawValue) \($0.name)" }.prefix(4) == [
                        "load a:1", "tag b:2", "untag a:1", "untag b:2",
                    ]
                )
                #expect(all.last?.action == .delete && all.last?.name == all.last?.imageID)
                #expect(all.map(\.position.sequence) == [1, 2, 3, 4, 5])
                let rest = try await told(store, after: first, count: 3)
                #expect(rest.map(\.position.sequence) == [3, 4, 5])
                for gone in [
                    ImageEventPosition(journal: "another", sequence: 1),
                    ImageEventPosition(journal: first.journal, sequence: 99),
                ] {
                    guard
                        case .eventsGone = await reason({ _ = try await told(store, after: gone, count: 1) })
                    else {
                        Issue.record("\(gone) was accepted")
                        return
                    }
                }
            }
        }
    }

    /// The first `count` events, also those that happen later.
    private func told(
        _ store: ImageStore,
        after position: ImageEventPosition,
        count: Int
    ) async throws -> [ImageEvent] {
        var events: [ImageEvent] = []
        do {
            try await store.events(after: position) { event in
                events.append(event)
                if events.count == count { throw Enough() }
            }
        } catch is Enough {}
        return events
    }

    private struct Enough: Error {}
}
