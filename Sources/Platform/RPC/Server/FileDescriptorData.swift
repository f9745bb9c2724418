// SPDX-License-Identifier: Apache-2.0

/// A definition file as `google.protobuf.FileDescriptorProto`, without comments: what server reflection answers with.
///
/// Generated code keeps the descriptor as text in the program's read-only data. A page of it takes memory only once
/// somebody asks for `bytes`.
package struct FileDescriptorData: Sendable {
    /// The file's name, as imports spell it: `petrel/engine/v1/engine.proto`.
    package let name: String
    private let base64: StaticString

    /// - Parameter base64: The serialized descriptor.
    package init(name: String, base64: StaticString) {
        self.name = name
        self.base64 = base64
    }

    /// The serialized descriptor. Decoded anew at each call; empty when the text is not base64.
    package var bytes: [UInt8] { base64.withUTF8Buffer { Base64.decode($0) ?? [] } }
}
