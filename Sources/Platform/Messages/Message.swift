// SPDX-License-Identifier: Apache-2.0
internal import CMessages
internal import CProtobufC

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

/// A message that protobuf-c codes: what generated types provide, and only they.
package protocol BridgedMessage: Message {
    /// The C structure; its first member is a `ProtobufCMessage`.
    associatedtype Bridge

    /// Whether a message of this type can contain another of its own, at any distance.
    static var isRecursive: Bool { get }

    /// Gives every member its default, and the descriptor.
    static func initialize(_ c: UnsafeMutablePointer<Bridge>)

    init(decoding c: UnsafePointer<Bridge>) throws(MessageError)

    /// Sets the members of an initialised structure; what they point at lives as long as the arena.
    func encode(into c: UnsafeMutablePointer<Bridge>, _ arena: Arena)
}

extension BridgedMessage {
    package init(serialized bytes: [UInt8]) throws(MessageError) {
        let decoded = bytes.withUnsafeBufferPointer { buffer -> Result<Self, MessageError> in
            do throws(MessageError) { return .success(try Self(decoding: buffer)) } catch {
                return .failure(error)
            }
        }
        self = try decoded.get()
    }

    private init(decoding bytes: UnsafeBufferPointer<UInt8>) throws(MessageError) {
        let descriptor = Self.descriptor
        if Self.isRecursive {
            try DepthScan.check(UnsafeRawBufferPointer(bytes), of: descriptor, Self.fullName)
        }
        let arena = Arena(decoding: bytes.count)
        let first = Self.unpack(bytes, descriptor, arena)
        if let first, !arena.hasDroppedMessages {
            self = try withExtendedLifetime(arena) { () throws(MessageError) in try Self(decoding: first) }
            return
        }
        guard arena.hasDroppedMessages else { throw .malformed(message: Self.fullName) }
        let joined = try SplitMessages.joined(UnsafeRawBufferPointer(bytes), of: descriptor, Self.fullName)
        let second = Arena(decoding: joined.count)
        guard let message = joined.withUnsafeBufferPointer({ Self.unpack($0, descriptor, second) })
        else { throw .malformed(message: Self.fullName) }
        self = try withExtendedLifetime(second) { () throws(MessageError) in try Self(decoding: message) }
    }

    /// Nil for what protobuf-c refuses.
    private static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>,
        _ arena: Arena
    ) -> UnsafePointer<Bridge>? {
        var allocator = arena.allocator
        return protobuf_c_message_unpack(descriptor, &allocator, bytes.count, bytes.baseAddress)
            .map { UnsafeRawPointer($0).assumingMemoryBound(to: Bridge.self) }
    }

    package func serialized() -> [UInt8] {
        let arena = Arena(expected: 1024, limit: .max)
        return withExtendedLifetime(arena) {
            guard let c = arena.message(self) else { return [] }
            let message = UnsafeRawPointer(c).assumingMemoryBound(to: ProtobufCMessage.self)
            let size = protobuf_c_message_get_packed_size(message)
            return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                count = size == 0 ? 0 : protobuf_c_message_pack(message, buffer.baseAddress)
            }
        }
    }

    private static var descriptor: UnsafePointer<ProtobufCMessageDescriptor> {
        withUnsafeTemporaryAllocation(of: Bridge.self, capacity: 1) { buffer in
            guard let c = buffer.baseAddress else { preconditionFailure("one structure was asked for") }
            initialize(c)
            return UnsafeRawPointer(c).assumingMemoryBound(to: ProtobufCMessage.self).pointee.descriptor
        }
    }
}
