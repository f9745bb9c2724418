// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Definitions
import DynamicMessages
import JSON
import Messages
import RPC
import Rendering

/// One call of a method that is known by its definition: JSON in, JSON out.
struct DynamicCall {
    private let target: RPCTarget
    private let method: ServiceDefinition.Method
    private let path: String
    private var catalog: ServiceCatalog
    private let isVerbose: Bool
    private let requests: RequestText
    private let answers: AnswerText

    init(
        target: RPCTarget,
        service: ServiceDefinition,
        method: ServiceDefinition.Method,
        catalog: ServiceCatalog,
        isVerbose: Bool,
        emitsDefaults: Bool
    ) {
        self.target = target
        self.method = method
        self.catalog = catalog
        self.isVerbose = isVerbose
        path = "\(service.fullName)/\(method.name)"
        requests = RequestText(pool: catalog.pool, type: method.input, what: target.what)
        answers = AnswerText(
            pool: catalog.pool,
            type: method.output,
            what: target.what,
            emitsDefaults: emitsDefaults
        )
    }

    /// - Parameter argument: JSON; `-` for standard input; nil for nothing, which is one empty message where the method does
    ///   not take a stream.
    /// - Throws: `ExitCode` when the call has failed, which was said.
    mutating func run(_ argument: String?) async throws {
        let input = try await input(argument)
        let progress = CallProgress(isVerbose: isVerbose)
        do {
            if isVerbose { progress.show(path, target.options.metadata) }
            try await exchange(input, progress)
        } catch let error as RPCError {
            try await report(error)
            throw ExitCode(1)
        }
        guard method.serverStreams || progress.answerCount == 1 else {
            throw Failure(target.what, "the server has sent \(progress.answerCount) answers in place of one")
        }
    }

    // MARK: - What is sent

    private enum Input {
        case messages([RawMessage])
        /// As they are typed.
        case stream(StandardInput)
    }

    /// Whatever is there before the call is read before the call: a mistake in it is told while nothing has happened.
    private func input(_ argument: String?) async throws -> Input {
        guard let argument else { return .messages(method.clientStreams ? [] : [RawMessage([])]) }
        var sequence = JSONSequence()
        var texts: [[UInt8]] = []
        if argument == "-" {
            let input = try StandardInput()
            guard !method.clientStreams else { return .stream(input) }
            while let bytes = await input.next() {
                texts += sequence.feed(bytes)
                guard texts.count <= 1 else { break }
            }
        } else {
            texts = sequence.feed(Array(argument.utf8))
        }
        if let last = sequence.finish() { texts.append(last) }
        guard method.clientStreams || texts.count == 1 else {
            throw Failure(
                target.what,
                texts.isEmpty ? "there is no JSON" : "the method takes one message, and there are more",
                exitCode: 2
            )
        }
        return .messages(
            try texts.enumerated().map { index, text in
                try requests.message(text, number: method.clientStreams ? index + 1 : nil)
            }
        )
    }

    // MARK: - The call

    /// Unary calls too are sent this way: on the wire all kinds are the same, and only this one shows the metadata.
    private func exchange(_ input: Input, _ progress: CallProgress) async throws {
        let (requests, answers) = (requests, answers)
        try await target.channel.bidirectional("/" + path, target.options) {
            (writer: RequestWriter<RawMessage>, responses: ResponseStream<RawMessage>) in
            defer { progress.show(trailers: responses.trailingMetadata) }
            try await withThrowingTaskGroup(of: Bool.self) { group in
                defer { group.cancelAll() }
                group.addTask {
                    try await Self.send(input, requests, writer)
                    return false
                }
                group.addTask {
                    try await Self.receive(responses, answers, progress)
                    return true
                }
                while let isOver = try await group.next() {
                    if isOver { return }
                }
            }
        }
    }

    private static func send(
        _ input: Input,
        _ text: RequestText,
        _ writer: RequestWriter<RawMessage>
    ) async throws {
        do {
            switch input {
            case .messages(let messages):
                for message in messages { try await writer.write(message) }
            case .stream(let input):
                var sequence = JSONSequence()
                var count = 0
                while let bytes = await input.next() {
                    for value in sequence.feed(bytes) {
                        count += 1
                        try await writer.write(text.message(value, number: count))
                    }
                }
                if let last = sequence.finish() {
                    try await writer.write(text.message(last, number: count + 1))
                }
            }
            writer.finish()
        } catch let error as RPCError where error.code == .cancelled {
            // The server has ended the call; how, its status says.
        }
    }

    private static func receive(
        _ responses: ResponseStream<RawMessage>,
        _ answers: AnswerText,
        _ progress: CallProgress
    ) async throws {
        if progress.isVerbose { progress.show(headers: await responses.initialMetadata) }
        while let response = try await responses.next() {
            progress.countAnswer()
            Screen.print(try answers.json(response))
        }
    }

    // MARK: - How it ended

    /// The status on a line, then its details as JSON, then the advice that one of them may have.
    private mutating func report(_ error: RPCError) async throws(Failure) {
        let failure = target.failure(error)
        Screen.say(Failure(failure.what, failure.why).lines)
        let types = error.details.compactMap { $0.typeUrl.split(separator: "/").last.map(String.init) }
        // Without the definition, a detail is shown with its bytes.
        if !types.isEmpty { _ = try? await catalog.load(types) }
        for detail in error.details {
            let json = try? catalog.pool.json(of: detail.serialized(), as: "google.protobuf.Any")
            Screen.say("detail: " + (json?.serializedText() ?? detail.typeUrl))
        }
        if !failure.advice.isEmpty { Screen.say(failure.advice) }
    }
}

/// JSON to messages of one type.
struct RequestText: Sendable {
    let pool: DefinitionPool
    let type: String
    let what: String

    /// - Parameter number: Of several.
    func message(_ text: [UInt8], number: Int?) throws(Failure) -> RawMessage {
        let place = number.map { "message \($0): " } ?? ""
        let json: JSON
        do throws(JSONError) {
            json = try JSON(parsing: text, maximumDepth: 2 * DefinitionPool.depthLimit)
        } catch {
            throw Failure(what, "\(place)not JSON: \(error)", exitCode: 2)
        }
        do throws(MappingError) { return RawMessage(try pool.serialize(json, as: type)) } catch {
            throw Failure(what, "\(place)\(error)", advice: Self.advice(error, type), exitCode: 2)
        }
    }

    private static func advice(_ error: MappingError, _ type: String) -> String {
        switch error.reason {
        case .unknownField(let message, let known):
            let name = error.path.split(separator: ".").last.map(String.init) ?? ""
            return meant(name, known) ?? "See 'petrel rpc describe \(message)'."
        case .unknownValue(let name, let type, let known):
            return meant(name, known) ?? "See 'petrel rpc describe \(type)'."
        default: return "See 'petrel rpc describe \(type)'."
        }
    }

    private static func meant(_ name: String, _ known: [String]) -> String? {
        Suggestion.nearest(to: name, in: known).map { "Did you mean '\($0)'?" }
    }
}

/// Messages of one type to JSON.
struct AnswerText: Sendable {
    let pool: DefinitionPool
    let type: String
    let what: String
    let emitsDefaults: Bool

    func json(_ message: RawMessage) throws(Failure) -> JSON {
        do throws(MappingError) {
            return try pool.json(of: message.bytes, as: type, emitsDefaults: emitsDefaults)
        } catch {
            throw Failure(what, "the answer cannot be read: \(error)")
        }
    }
}
