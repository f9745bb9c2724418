// SPDX-License-Identifier: Apache-2.0
import Events
import Foundation
import System
import Testing

struct DirectoryWatchesTests {
    private func changed(_ watch: DirectoryWatches.Watch, beyond seen: UInt64) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask { (try? await watch.wait(beyond: seen)) != nil }
            group.addTask {
                try? await Task.sleep(for: .seconds(10))
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
        }
    }

    private func write(_ path: String) throws {
        let file = try Files.open(path, [.writeOnly, .create, .append], mode: 0o600)
        try Files.writeAll(file.raw, [1])
    }

    @Test func allWhoWatchADirectoryAreTold() async throws {
        let path = FileManager.default.temporaryDirectory.path + "/watches-" + UUID().uuidString
        try Files.makeDirectory(path, mode: 0o700)
        try Files.makeDirectory(path + "/other", mode: 0o700)
        defer { try? Files.removeTree(path) }
        let watches = try #require(DirectoryWatches.shared)
        let other = try watches.watch(path + "/other")
        let quiet = other.version
        var first: DirectoryWatches.Watch? = try watches.watch(path)
        let second = try watches.watch(path)
        let (one, two) = (first?.version ?? 0, second.version)
        try write(path + "/file")
        #expect(await changed(try #require(first), beyond: one))
        #expect(await changed(second, beyond: two))
        // Who goes leaves the others theirs.
        first = nil
        let seen = second.version
        try write(path + "/file")
        #expect(await changed(second, beyond: seen))
        #expect(other.version == quiet)
    }

    /// The kernel forgets the watch with its directory, and its number.
    @Test func aDirectoryMayComeBack() async throws {
        let path = FileManager.default.temporaryDirectory.path + "/watches-" + UUID().uuidString
        defer { try? Files.removeTree(path) }
        let watches = try #require(DirectoryWatches.shared)
        #expect(throws: SystemError.self) { try watches.watch(path) }
        for _ in 0..<3 {
            try Files.makeDirectory(path, mode: 0o700)
            let watch = try watches.watch(path)
            let seen = watch.version
            try Files.removeTree(path)
            #expect(await changed(watch, beyond: seen))
        }
    }
}
