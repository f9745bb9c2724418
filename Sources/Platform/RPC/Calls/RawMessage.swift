// SPDX-License-Identifier: Apache-2.0
package import Messages

/// A message whose type nobody here knows: its bytes, as they came or are to be sent.
///
/// For calls of methods by their path, and for handlers that pass messages on.
package struct RawMessage: Message, Hashable {
    /// It has none.
    package static let fullName = ""

    package var bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Takes any bytes.
    package init(serialized: [UInt8]) throws(MessageError) { bytes = serialized }

    package func serialized() -> [UInt8] { bytes }
}
