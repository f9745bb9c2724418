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
        for name in ["a", "b", "a", "c"] { #expect(try store.store(file(), as: name) == true) }
        #expect(store.entries.map(\.name) == ["a", "b", "a", "c"])
        store.remove("a")
        store.remove("nothing")
        #expect(store.entries.map(\.name) == ["b", "c"])
    }

    @Test func keepsTheSameOpenFileOnce() throws {
        var store = DescriptorStore()
        let first = try file()
        #expect(store.store(first, as: "a") == true)
        #expect(try store.store(SharedDescriptor(first.duplicate()), as: "a") == true)
        #expect(store.entries.count == 1)
        #expect(try store.store(SharedDescriptor(first.duplicate()), as: "b") == true)
        #expect(store.entries.count == 2)
    }

    @Test func isBounded() throws {
        var store = DescriptorStore(limit: 2)
        #expect(try store.store(file(), as: "a") == true)
        #expect(try store.store(file(), as: "b") == true)
        #expect(try store.store(file(), as: "c") == false)
        store.remove("a")
        #expect(try store.store(file(), as: "c") == true)
    }
}
