// SPDX-License-Identifier: Apache-2.0
package import Messages

/// What `RPCServer` serves. Generated protocols refine this one and provide its members.
package protocol RPCService: Sendable {
    /// `petrel.engine.v1.Containers`.
    var serviceName: String { get }
    var methods: [RPCMethod] { get }
    /// The file that defines the service and all that it imports, at any distance; a file comes after its imports.
    /// Empty for a service that was not generated.
    var fileDescriptors: [FileDescriptorData] { get }
}

extension RPCService {
    package var fileDescriptors: [FileDescriptorData] { [] }
}

/// One method of a service: how its handler is run on a call.
package struct RPCMethod: Sendable {
    package let name: String
    /// Its handler is started when its one request has come; until then a call costs no task.
    let awaitsRequest: Bool
    let run: @Sendable (CallStream, CallContext) async throws -> Void

    /// A unary method.
    /// - Parameter answer: Reads the request and writes the response, or throws what the status is to be.
    package init(
        _ name: String,
        _ answer: @escaping @Sendable (CallStream, CallContext) async throws -> Void
    ) {
        self.init(name, awaitsRequest: true, answer)
    }

    private init(
        _ name: String,
        awaitsRequest: Bool,
        _ answer: @escaping @Sendable (CallStream, CallContext) async throws -> Void
    ) {
        self.name = name
        self.awaitsRequest = awaitsRequest
        run = answer
    }

    package static func serverStreaming<Request: Message, Response: Message>(
        _ name: String,
        _ handler: @escaping @Sendable (Request, ResponseWriter<Response>, CallContext) async throws -> Void
    ) -> RPCMethod {
        RPCMethod(name, awaitsRequest: true) { stream, context in
            try await handler(try stream.request(Request.self), ResponseWriter(stream), context)
        }
    }

    package static func clientStreaming<Request: Message, Response: Message>(
        _ name: String,
        _ handler: @escaping @Sendable (RequestStream<Request>, CallContext) async throws -> Response
    ) -> RPCMethod {
        RPCMethod(name, awaitsRequest: false) { stream, context in
            let response = try await handler(RequestStream(stream), context)
            try await stream.answer(response)
        }
    }

    package static func bidirectional<Request: Message, Response: Message>(
        _ name: String,
        _ handler:
            @escaping @Sendable (RequestStream<Request>, ResponseWriter<Response>, CallContext)
            async throws -> Void
    ) -> RPCMethod {
        RPCMethod(name, awaitsRequest: false) { stream, context in
            try await handler(RequestStream(stream), ResponseWriter(stream), context)
        }
    }
}
