// SPDX-License-Identifier: Apache-2.0
@testable import CodeGenerator

// Descriptors, field by field, as descriptor.proto numbers them.

func message(_ fields: [(Int, WireMessage.Value)]) -> WireMessage {
    var result = WireMessage()
    result.fields = fields.map { WireMessage.Field(number: $0.0, value: $0.1) }
    return result
}

func text(_ text: String) -> WireMessage.Value { .bytes(Array(text.utf8)) }

func nested(_ fields: [(Int, WireMessage.Value)]) -> WireMessage.Value {
    .bytes(message(fields).serialized())
}

/// A singular field, unless `extra` has another label (4).
func field(
    _ name: String,
    _ number: Int,
    type: UInt64,
    extra: [(Int, WireMessage.Value)] = []
) -> WireMessage.Value {
    var own: [(Int, WireMessage.Value)] = [(1, text(name)), (3, .varint(UInt64(number)))]
    if !extra.contains(where: { $0.0 == 4 }) { own.append((4, .varint(1))) }
    return nested(own + [(5, .varint(type))] + extra)
}

/// A file `NAME` of package `test`, proto3 unless `extra` has another syntax (12).
func file(_ name: String, _ extra: [(Int, WireMessage.Value)]) -> WireMessage.Value {
    let syntax: [(Int, WireMessage.Value)] = extra.contains { $0.0 == 12 } ? [] : [(12, text("proto3"))]
    return nested([(1, text(name)), (2, text("test"))] + extra + syntax)
}

/// A request to generate the file called `wanted`.
func request(_ wanted: String, _ files: [WireMessage.Value], parameter: String = "messages") -> [UInt8] {
    message([(1, text(wanted)), (2, text(parameter))] + files.map { (15, $0) }).serialized()
}

/// What is generated, by name of the file; the error is thrown as what it says.
func generated(_ request: [UInt8]) throws -> [String: String] {
    let response = try WireMessage(CodeGenerator.respond(to: request))
    guard response.text(1).isEmpty else { throw GeneratorError.malformed(response.text(1)) }
    var result: [String: String] = [:]
    for file in try response.messages(15) { result[file.text(1)] = file.text(15) }
    return result
}
