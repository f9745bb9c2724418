// SPDX-License-Identifier: Apache-2.0
package import Messages

/// A call that did not end well: its status, and what the server packed into its details.
package struct RPCError: Error, Hashable, Sendable, CustomStringConvertible {
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
        let details =
            detail.map { [GoogleProtobuf.`Any`(typeUrl: Self.detailType, value: $0.serialized())] } ?? []
        self.init(code, message, details: details)
    }

    /// The first detail of type `petrel.common.v1.ErrorDetail`, if there is one.
    package var detail: CommonV1.ErrorDetail? {
        for entry in details where entry.typeUrl.hasSuffix("/" + CommonV1.ErrorDetail.fullName) {
            if let detail = try? CommonV1.ErrorDetail(serialized: entry.value) { return detail }
        }
        return nil
    }

    /// `NOT_FOUND: no such container: web`.
    package var description: String { message.isEmpty ? code.description : "\(code): \(message)" }

    private static let detailType = "type.googleapis.com/" + CommonV1.ErrorDetail.fullName
}
