// SPDX-License-Identifier: Apache-2.0

/// A descriptor with several holders, or one kept in a collection: closed when the last holder lets go.
package final class SharedDescriptor: Sendable {
    private let descriptor: Descriptor

    package init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

    /// The number, valid while this object lives.
    package var raw: Int32 { descriptor.raw }

    /// Another number for the same open file description, with an owner of its own.
    package func duplicate() throws(SystemError) -> Descriptor { try descriptor.duplicate() }
}
