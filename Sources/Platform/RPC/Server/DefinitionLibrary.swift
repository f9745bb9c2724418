// SPDX-License-Identifier: Apache-2.0
internal import Definitions
internal import Messages
internal import Synchronization

/// What a server can tell about itself: its services' names, and the definition files behind them, which are read with
/// the first request that needs one.
final class DefinitionLibrary: Sendable {
    typealias Request = GrpcReflectionV1.ServerReflectionRequest.MessageRequest
    typealias Response = GrpcReflectionV1.ServerReflectionResponse.MessageResponse

    private struct Content {
        var index = SymbolIndex()
        var files: [String: [UInt8]] = [:]
    }

    private let names: [String]
    private let files: [FileDescriptorData]
    private let content = Mutex<Result<Content, RPCError>?>(nil)

    /// - Parameters:
    ///   - services: The full names of all that is served.
    ///   - files: Their definition files, and what these import; one may be there several times.
    init(services: [String], files: [FileDescriptorData]) {
        names = services.sorted()
        self.files = files
    }

    /// - Parameter sent: The files that this client has been sent; a file that is asked for is sent again, what it imports
    ///   is not.
    /// - Throws: `.internal` when the server's own definitions cannot be read.
    func answer(_ request: Request?, sent: inout Set<String>) throws(RPCError) -> Response {
        switch request {
        case .listServices:
            return .listServicesResponse(.init(service: names.map { .init(name: $0) }))
        case .fileByFilename(let name):
            return files(name, try read(), &sent) ?? Self.error(.notFound, "no file \(name)")
        case .fileContainingSymbol(let symbol):
            let content = try read()
            return files(content.index.file(declaring: symbol), content, &sent)
                ?? Self.error(.notFound, "no symbol \(symbol)")
        case .fileContainingExtension(let wanted):
            let content = try read()
            let number = Int(wanted.extensionNumber)
            return files(content.index.file(extending: wanted.containingType, number: number), content, &sent)
                ?? Self.error(.notFound, "no extension \(number) of \(wanted.containingType)")
        case .allExtensionNumbersOfType(let type):
            let index = try read().index
            guard index.file(declaring: type) != nil else { return Self.error(.notFound, "no type \(type)") }
            let numbers = index.extensionNumbers(of: type).map { Int32($0) }
            return .allExtensionNumbersResponse(.init(baseTypeName: type, extensionNumber: numbers))
        case nil: return Self.error(.unimplemented, "no such request")
        }
    }

    /// A file and what it imports, as far as that was not sent; nil for a file that is not here.
    private func files(_ name: String?, _ content: Content, _ sent: inout Set<String>) -> Response? {
        guard let name, let closure = content.index.closure(of: name) else { return nil }
        let fresh = closure.filter { sent.insert($0).inserted || $0 == name }
        return .fileDescriptorResponse(.init(fileDescriptorProto: fresh.compactMap { content.files[$0] }))
    }

    private static func error(_ code: StatusCode, _ message: String) -> Response {
        .errorResponse(.init(errorCode: Int32(code.rawValue), errorMessage: message))
    }

    // MARK: - The definitions

    /// Those who ask first at the same time each read them; all get what was read first.
    private func read() throws(RPCError) -> Content {
        if let known = content.withLock({ $0 }) { return try known.get() }
        let result = Result { () throws(DefinitionError) in try load() }.mapError { error in
            RPCError(.internal, "the server's definitions: \(error)")
        }
        return try content.withLock { content in
            if let content { return content }
            content = result
            return result
        }.get()
    }

    private func load() throws(DefinitionError) -> Content {
        var content = Content()
        for file in files where content.files[file.name] == nil {
            let bytes = file.bytes
            try content.index.add(FileDefinition(serialized: bytes))
            content.files[file.name] = bytes
        }
        return content
    }
}
