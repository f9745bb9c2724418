// SPDX-License-Identifier: Apache-2.0
import DynamicMessages
import Messages
import RPC
import Rendering

/// What a server tells about itself by `grpc.reflection`: v1, or v1alpha where it has only that.
struct Reflection: Sendable {
    typealias Request = GrpcReflectionV1.ServerReflectionRequest
    typealias Response = GrpcReflectionV1.ServerReflectionResponse

    let target: RPCTarget

    /// The longest time for a conversation, where the user has not said another.
    private static let patience = Duration.seconds(20)

    /// The full names of all services, sorted.
    func services() async throws(Failure) -> [String] {
        try await converse { conversation in
            switch try await conversation.ask(.listServices("")) {
            case .listServicesResponse(let list): list.service.map(\.name).sorted()
            case let answer: throw conversation.unexpected(answer)
            }
        }
    }

    /// The definition files of symbols, and all that these import.
    /// - Returns: The symbols that the server knows.
    @discardableResult
    func load(_ symbols: [String], into pool: inout DefinitionPool) async throws(Failure) -> [String] {
        let start = pool
        let (found, filled) = try await converse { conversation in
            var pool = start
            var found: [String] = []
            for symbol in symbols {
                guard pool.symbol(symbol) == nil else {
                    found.append(symbol)
                    continue
                }
                if try await conversation.files(.fileContainingSymbol(symbol), into: &pool) {
                    found.append(symbol)
                }
            }
            // Some servers send a file alone. What they do not have is missed only where it is needed.
            var asked: Set<String> = []
            while let name = pool.missingFiles.first(where: { !asked.contains($0) }) {
                asked.insert(name)
                _ = try await conversation.files(.fileByFilename(name), into: &pool)
            }
            return (found, pool)
        }
        pool = filled
        return found
    }

    // MARK: - A conversation

    private func converse<Result: Sendable>(
        _ body: @Sendable (Conversation) async throws -> Result
    ) async throws(Failure) -> Result {
        var options = target.options
        options.timeout = options.timeout ?? Self.patience
        do {
            do {
                return try await converse("v1", options, body)
            } catch let error as RPCError where error.code == .unimplemented {
                return try await converse("v1alpha", options, body)
            }
        } catch let failure as Failure {
            throw failure
        } catch let error as RPCError where error.code == .unimplemented {
            throw Failure(
                target.what,
                "the server at \(target.address) does not offer reflection",
                advice: "Without it nobody can know what it serves."
            )
        } catch let error as RPCError {
            throw target.failure(error)
        } catch {
            throw Failure(target.what, "\(error)")
        }
    }

    private func converse<Result: Sendable>(
        _ version: String,
        _ options: CallOptions,
        _ body: @Sendable (Conversation) async throws -> Result
    ) async throws -> Result {
        let method = "/grpc.reflection.\(version).ServerReflection/ServerReflectionInfo"
        return try await target.channel.bidirectional(method, options) { writer, responses in
            let result = try await body(Conversation(what: target.what, writer: writer, responses: responses))
            writer.finish()
            return result
        }
    }
}

/// Questions and answers in turn.
private struct Conversation: Sendable {
    let what: String
    let writer: RequestWriter<Reflection.Request>
    let responses: ResponseStream<Reflection.Response>

    /// - Throws: how the call ended, when it has.
    func ask(_ question: Reflection.Request.MessageRequest) async throws -> Reflection.Response
        .MessageResponse?
    {
        do throws(RPCError) { try await writer.write(.init(messageRequest: question)) } catch {
            // The end of the answers says why.
            guard error.code == .cancelled, !Task.isCancelled else { throw error }
        }
        guard let answer = try await responses.next() else {
            throw RPCError(.internal, "the server has ended the conversation")
        }
        return answer.messageResponse
    }

    /// Adds the files that answer a question.
    /// - Returns: false when the server does not have them.
    func files(
        _ question: Reflection.Request.MessageRequest,
        into pool: inout DefinitionPool
    ) async throws -> Bool {
        switch try await ask(question) {
        case .fileDescriptorResponse(let found):
            do {
                for file in found.fileDescriptorProto { try pool.add(serialized: file) }
            } catch {
                throw Failure(what, "the server's definitions cannot be used: \(error)")
            }
            return true
        case .errorResponse(let error) where error.errorCode == StatusCode.notFound.rawValue: return false
        case let answer: throw unexpected(answer)
        }
    }

    func unexpected(_ answer: Reflection.Response.MessageResponse?) -> RPCError {
        guard case .errorResponse(let error) = answer, error.errorCode != 0 else {
            return RPCError(.internal, "the server has answered another question")
        }
        return RPCError(StatusCode(rawValue: Int(error.errorCode)) ?? .unknown, error.errorMessage)
    }
}
