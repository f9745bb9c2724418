// SPDX-License-Identifier: Apache-2.0
internal import CMessages

/// A message as protobuf-c's structures, and the memory that they are in. For generated code.
package struct UnpackedMessage: ~Copyable {
    private let arena: Arena
    /// The message's structure, which lives as long as this.
    package let start: UnsafeRawPointer

    /// - Throws: `.malformed`; `.tooDeep`.
    package init(_ bytes: [UInt8], of descriptor: MessageDescriptor) throws(MessageError) {
        var unpacked: UnpackedMessage?
        var failure: MessageError?
        bytes.withUnsafeBufferPointer { bytes in
            do throws(MessageError) { unpacked = try UnpackedMessage(bytes, descriptor) } catch {
                failure = error
            }
        }
        guard let unpacked else { throw failure ?? .malformed(message: "\(descriptor.name)") }
        self = unpacked
    }

    private init(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ descriptor: MessageDescriptor
    ) throws(MessageError) {
        let raw = UnsafeRawBufferPointer(bytes)
        if descriptor.isRecursive { try DepthScan.check(raw, of: descriptor.pointer, descriptor.name) }
        var first = Arena(decoding: bytes.count)
        if let start = first.unpack(bytes, descriptor.pointer), !first.hasDroppedMessages {
            self.start = start
            arena = first
            return
        }
        guard first.hasDroppedMessages else { throw .malformed(message: "\(descriptor.name)") }
        let joined = try SplitMessages.joined(raw, of: descriptor.pointer, descriptor.name)
        var second = Arena(decoding: joined.count)
        guard let start = joined.withUnsafeBufferPointer({ second.unpack($0, descriptor.pointer) })
        else { throw .malformed(message: "\(descriptor.name)") }
        self.start = start
        arena = second
    }
}
