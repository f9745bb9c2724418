// SPDX-License-Identifier: Apache-2.0
package import Messages

package final class Channel: Sendable {
    package init(unixSocket path: String) {}

    package func close() async {}

    package func unary<Request: Message, Response: Message>(
        _ method: String,
        _ request: Request,
        _ options: CallOptions
    ) async throws(RPCError) -> Response { throw RPCError(.unimplemented, "") }

    package func serverStreaming<Request: Message, Response: Message>(
        _ method: String,
        _ request: Request,
        _ options: CallOptions
    ) async throws(RPCError) -> ResponseStream<Response> { throw RPCError(.unimplemented, "") }

    package func clientStreaming<Request: Message, Response: Message>(
        _ method: String,
        _ options: CallOptions,
        _ body: (RequestWriter<Request>) async throws -> Void
    ) async throws -> Response { throw RPCError(.unimplemented, "") }

    package func bidirectional<Request: Message, Response: Message, Result>(
        _ method: String,
        _ options: CallOptions,
        _ body: (RequestWriter<Request>, ResponseStream<Response>) async throws -> Result
    ) async throws -> Result { throw RPCError(.unimplemented, "") }
}
