// SPDX-License-Identifier: Apache-2.0
import Definitions
import Testing

struct SymbolIndexTests {
    private let old = file("old.proto", package: "b", imports: ["c.proto"])
    private let thing = file(package: "a", imports: ["old.proto", "gone.proto"]) { file in
        file.bytes(
            4,
            message { thing in
                thing.text(1, "Thing")
                thing.bytes(2, field("f", 1))
                thing.bytes(4, enumeration("Kind", ("ODD", 0)))
                thing.bytes(8, message { $0.text(1, "choice") })
            }
        )
        file.bytes(
            6,
            message { service in
                service.text(1, "Things")
                service.bytes(2, method("Get"))
            }
        )
        for number: UInt64 in [2000, 1000] {
            file.bytes(7, field("x\(number)", number, extending: ".b.Old"))
        }
    }

    private func index() throws -> SymbolIndex {
        var index = SymbolIndex()
        try index.add(FileDefinition(serialized: thing))
        try index.add(FileDefinition(serialized: old))
        // The circle is a mistake, and does no harm.
        try index.add(FileDefinition(serialized: file("c.proto", package: "c", imports: ["a/b.proto"])))
        return index
    }

    @Test(arguments: [
        "a.Thing", "a.Thing.f", "a.Thing.choice", "a.Thing.Kind", "a.Thing.ODD", "a.Things", "a.Things.Get",
        "a.x1000",
    ])
    func everySymbolLeadsToItsFile(symbol: String) throws {
        #expect(try index().file(declaring: symbol) == "a/b.proto")
    }

    @Test(arguments: ["", "a", "Thing", "a.Thing.Kind.ODD", "a.Thing.", ".a.Thing"])
    func otherNamesAreNoSymbols(symbol: String) throws {
        #expect(try index().file(declaring: symbol) == nil)
    }

    @Test func extensionsAreFoundByWhatTheyExtend() throws {
        let index = try index()
        #expect(index.extensionNumbers(of: "b.Old") == [1000, 2000])
        #expect(index.extensionNumbers(of: "a.Thing") == [])
        #expect(index.file(extending: "b.Old", number: 1000) == "a/b.proto")
        #expect(index.file(extending: "b.Old", number: 1) == nil)
    }

    @Test func aFileComesWithAllThatItImports() throws {
        let index = try index()
        #expect(index.closure(of: "a/b.proto") == ["a/b.proto", "old.proto", "c.proto"])
        #expect(index.closure(of: "c.proto") == ["c.proto", "a/b.proto", "old.proto"])
        #expect(index.closure(of: "gone.proto") == nil)
        #expect(index.missingFiles == ["gone.proto"])
    }

    @Test func aSymbolIsDeclaredOnce() throws {
        var index = try index()
        let again = file("e.proto", package: "a") { file in
            file.bytes(5, enumeration("Fresh"))
            file.bytes(4, message { $0.text(1, "Thing") })
        }
        #expect(throws: DefinitionError.declaredTwice(symbol: "a.Thing", files: ["a/b.proto", "e.proto"])) {
            try index.add(FileDefinition(serialized: again))
        }
        #expect(index.closure(of: "e.proto") == nil && index.file(declaring: "a.Fresh") == nil)
        let twice = file("f.proto", package: "f") { file in
            for _ in 0..<2 { file.bytes(5, enumeration("Kind")) }
        }
        #expect(throws: DefinitionError.declaredTwice(symbol: "f.Kind", files: ["f.proto", "f.proto"])) {
            try index.add(FileDefinition(serialized: twice))
        }
        // A file whose name is known is passed over.
        try index.add(FileDefinition(serialized: file(package: "z") { $0.bytes(5, enumeration("Kind")) }))
        #expect(index.file(declaring: "z.Kind") == nil)
    }
}
