// SPDX-License-Identifier: Apache-2.0
import Definitions

/// Serialized descriptors, made field by field; numbers are those of descriptor.proto.
func message(_ build: (inout WireWriter) -> Void) -> [UInt8] {
    var writer = WireWriter()
    build(&writer)
    return writer.bytes
}

/// A file and what `build` adds.
func file(
    _ name: String = "a/b.proto",
    package: String = "a.b",
    syntax: String = "proto3",
    imports: [String] = [],
    _ build: (inout WireWriter) -> Void = { _ in }
) -> [UInt8] {
    message { file in
        file.text(1, name)
        file.text(2, package)
        for name in imports { file.text(3, name) }
        build(&file)
        if !syntax.isEmpty { file.text(12, syntax) }
    }
}

/// - Parameters: Of descriptor.proto's enums; 5 is `int32`, label 3 `repeated`.
func field(
    _ name: String,
    _ number: UInt64,
    type: UInt64 = 5,
    label: UInt64 = 1,
    extending extendee: String = ""
) -> [UInt8] {
    message { field in
        field.text(1, name)
        if !extendee.isEmpty { field.text(2, extendee) }
        field.varint(3, number)
        field.varint(4, label)
        field.varint(5, type)
        if type == 11 || type == 14 { field.text(6, ".a.b.Thing") }
    }
}

func enumeration(_ name: String, _ values: (name: String, number: UInt64)...) -> [UInt8] {
    message { definition in
        definition.text(1, name)
        for value in values {
            definition.bytes(
                2,
                message { one in
                    one.text(1, value.name)
                    one.varint(2, value.number)
                }
            )
        }
    }
}

func method(_ name: String, serverStreams: Bool = false) -> [UInt8] {
    message { method in
        method.text(1, name)
        method.text(2, ".a.b.Thing")
        method.text(3, ".a.b.Thing")
        if serverStreams { method.varint(6, 1) }
    }
}
