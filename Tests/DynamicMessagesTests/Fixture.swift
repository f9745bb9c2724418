// SPDX-License-Identifier: Apache-2.0
import Definitions
import DynamicMessages
import Foundation
import JSON
import Testing

/// The definitions of `petrel/dynamic/v1/dynamic.proto`.
let pool: DefinitionPool = {
    var pool = DefinitionPool()
    do {
        for file in try dynamicFiles() { try pool.add(serialized: file) }
    } catch {
        Issue.record(error)
    }
    return pool
}()

/// The files of the generated `FileDescriptorSet`, whose one field is number 1.
func dynamicFiles() throws -> [[UInt8]] {
    let set = try #require(Data(base64Encoded: dynamicDefinitions, options: .ignoreUnknownCharacters))
    var reader = WireReader([UInt8](set)[...])
    var files: [[UInt8]] = []
    while let field = try reader.next() {
        if case .bytes(let file) = field.value { files.append([UInt8](file)) }
    }
    return files
}

/// The full name of one of the test's own types.
func full(_ type: String) -> String { "petrel.dynamic.v1." + type }

func serialize(_ type: String, _ json: String) throws -> [UInt8] {
    try pool.serialize(JSON(parsing: Array(json.utf8), maximumDepth: 300), as: full(type))
}

func render(_ type: String, _ bytes: [UInt8], emitsDefaults: Bool = false) throws -> String {
    try pool.json(of: bytes, as: full(type), emitsDefaults: emitsDefaults).serializedText()
}

func hex(_ bytes: [UInt8]) -> String { bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }

func bytes(_ hex: String) -> [UInt8] {
    let digits = hex.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

/// What `body` throws, as its one line of text.
func refusal(_ body: () throws -> some Any) -> String {
    do {
        _ = try body()
        return "nothing is refused"
    } catch {
        return "\(error)"
    }
}

/// The same numbers in every run.
struct Dice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        // Knuth's MMIX constants; the low bits are the weak ones.
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 32
    }
}
