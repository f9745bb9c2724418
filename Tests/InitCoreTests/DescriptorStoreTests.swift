// SPDX-License-Identifier: Apache-2.0
import InitCore
import System
import Testing

@Suite struct DescriptorStoreTests {
    private func file() throws -> SharedDescriptor {
        SharedDescriptor(try Files.open("/dev/null", .readOnly))
    }

    @Test func keepsTheOrderAndRemovesByName() throws {
        var store = DescriptorStore()
        for name in ["a", "b", "a", "c"] { #expect(store.store(try file(), as: name)) }
        #expect(store.entries.map(\.name) == ["a", "b", "a", "c"])
        store.remove("a")
        store.remove("nothing")
        #expect(store.entries.map(\.name) == ["b", "c"])
    }

    @Test func keepsTheSameOpenFileOnce() throws {
        var store = DescriptorStore()
        let first = try file()
        #expect(store.store(first, as: "a"))
        #expect(store.store(SharedDescriptor(try first.duplicate()), as: "a"))
        #expect(store.entries.count == 1)
        #expect(store.store(SharedDescriptor(try first.duplicate()), as: "b"))
        #expect(store.entries.count == 2)
    }

    @Test func isBounded() throws {
        var store = DescriptorStore(limit: 2)
        #expect(store.store(try file(), as: "a"))
        #expect(store.store(try file(), as: "b"))
        #expect(!store.store(try file(), as: "c"))
        store.remove("a")
        #expect(store.store(try file(), as: "c"))
    }
}
