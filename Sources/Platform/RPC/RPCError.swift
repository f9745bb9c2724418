// SPDX-License-Identifier: Apache-2.0
package import Messages

/// A call that did not end well: its status, and what the server packed into its details.
package struct RPCError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Never `.ok`.
    package var code: StatusCode
    /// One lower-case line.
    package var message: String
    /// `google.rpc.Status.details`.
    package var details: [GoogleProtobuf.`Any`]

    package init(_ code: StatusCode, _ message: String, details: [GoogleProtobuf.`Any`] = []) {
        self.code = code
        self.message = message
        self.details = details
    }

    /// An error with the detail from which the client rebuilds its own.
    package init(_ code: StatusCode, _ message: String, detail: CommonV1.ErrorDetail?) {
        self.init(code, message, details: detail.map { [GoogleProtobuf.`Any`(packing: $0)] } ?? [])
    }

    /// The first detail of type `petrel.common.v1.ErrorDetail`, if there is one.
    package var detail: CommonV1.ErrorDetail? {
        for entry in details {
            if let detail = try? entry.unpacked(as: CommonV1.ErrorDetail.self) { return detail }
        }
        return nil
    }

    /// `NOT_FOUND: no such container: web`.
    package var description: String { message.isEmpty ? code.description : "\(code): \(message)" }
}
