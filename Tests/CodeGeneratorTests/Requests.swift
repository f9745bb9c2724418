// SPDX-License-Identifier: Apache-2.0
import CodeGenerator
import Definitions

// Descriptors, field by field, as descriptor.proto numbers them.

func message(_ fields: [(Int, WireReader.Value)]) -> WireFields {
    WireFields(fields.map { WireReader.Field(number: $0.0, value: $0.1) })
}

func text(_ text: String) -> WireReader.Value { .text(text) }

func nested(_ fields: [(Int, WireReader.Value)]) -> WireReader.Value {
    .bytes(message(fields).serialized()[...])
}

extension WireFields {
    /// Empty where there is none.
    func text(_ number: Int) -> String { String(decoding: all(number).last ?? [], as: UTF8.self) }

    func messages(_ number: Int) throws -> [WireFields] {
        try all(number).map { try WireFields(reading: $0) }
    }
}

/// A singular field, unless `extra` has another label (4).
func field(
    _ name: String,
    _ number: Int,
    type: UInt64,
    extra: [(Int, WireReader.Value)] = []
) -> WireReader.Value {
    var own: [(Int, WireReader.Value)] = [(1, text(name)), (3, .varint(UInt64(number)))]
    if !extra.contains(where: { $0.0 == 4 }) { own.append((4, .varint(1))) }
    return nested(own + [(5, .varint(type))] + extra)
}

/// A file `NAME` of package `test`, proto3 unless `extra` has another syntax (12).
func file(_ name: String, _ extra: [(Int, WireReader.Value)]) -> WireReader.Value {
    let syntax: [(Int, WireReader.Value)] = extra.contains { $0.0 == 12 } ? [] : [(12, text("proto3"))]
    return nested([(1, text(name)), (2, text("test"))] + extra + syntax)
}

/// A request to generate the file called `wanted`.
func request(_ wanted: String, _ files: [WireReader.Value], parameter: String = "messages") -> [UInt8] {
    message([(1, text(wanted)), (2, text(parameter))] + files.map { (15, $0) }).serialized()
}

/// What a response reports instead of files.
struct Report: Error {
    let text: String
}

/// What is generated, by name of the file.
func generated(_ request: [UInt8]) throws -> [String: String] {
    let response = try WireFields(reading: CodeGenerator.respond(to: request)[...])
    guard response.all(1).isEmpty else { throw Report(text: response.text(1)) }
    var result: [String: String] = [:]
    for file in try response.messages(15) { result[file.text(1)] = file.text(15) }
    return result
}
