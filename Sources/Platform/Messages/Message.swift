// SPDX-License-Identifier: Apache-2.0

/// A protobuf message as a Swift value.
package protocol Message: Sendable {
    /// `petrel.engine.v1.Event`.
    static var fullName: String { get }

    /// Decodes a message; fields that this release does not know are kept.
    /// - Throws: why the bytes are no such message; nothing is decoded in part.
    init(serialized: [UInt8]) throws(MessageError)

    /// The message's bytes. Equal messages without maps have equal bytes.
    func serialized() -> [UInt8]
}

/// What generated types are: protobuf-c decodes them, and `WireWriter` writes them.
package protocol BridgedMessage: Message {
    static var descriptor: MessageDescriptor { get }

    func encode(to writer: inout WireWriter)
}
