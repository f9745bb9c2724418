// SPDX-License-Identifier: Apache-2.0
internal import CMessages
internal import CProtobufC

/// What is known of a message's type: its name, and what protobuf-c goes by, which is a constant of the generated C.
package struct MessageDescriptor: @unchecked Sendable {
    /// `petrel.engine.v1.Event`.
    package let name: StaticString
    /// Whether a message of this type can contain another of its own, at any distance.
    package let isRecursive: Bool
    let pointer: UnsafePointer<ProtobufCMessageDescriptor>

    /// - Parameter initialize: Gives a structure's members their defaults, and its first member the descriptor.
    package init<Structure>(
        _ name: StaticString,
        isRecursive: Bool,
        _ initialize: (UnsafeMutablePointer<Structure>) -> Void
    ) {
        self.name = name
        self.isRecursive = isRecursive
        pointer = withUnsafeTemporaryAllocation(of: Structure.self, capacity: 1) { buffer in
            guard let c = buffer.baseAddress else { preconditionFailure("one structure was asked for") }
            initialize(c)
            return UnsafeRawPointer(c).assumingMemoryBound(to: ProtobufCMessage.self).pointee.descriptor
        }
    }
}
