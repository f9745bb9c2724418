// SPDX-License-Identifier: Apache-2.0
internal import Definitions

/// The plugin's work: a `CodeGeneratorRequest` in, a `CodeGeneratorResponse` out, both as bytes.
package enum CodeGenerator {
    /// Generates what the request's parameter names: `messages` or `services`, and `import=MODULE` for each module
    /// that the generated files are to import. `imported=MODULE` is the module with the messages of files that are not
    /// generated along; services import it where they use one.
    ///
    /// Mistakes in the definitions are reported in the response, as the protocol wants it.
    /// - Throws: `.malformed` when the request cannot be read.
    package static func respond(to request: [UInt8]) throws(GeneratorError) -> [UInt8] {
        let wire = try reading { () throws(WireError) in try WireFields(reading: request[...]) }
        var response = WireWriter()
        // FEATURE_PROTO3_OPTIONAL.
        response.varint(2, 1)
        do throws(GeneratorError) {
            for file in try generate(GeneratorRequest(wire)) {
                var entry = WireWriter()
                entry.text(1, file.name)
                entry.text(15, file.content)
                response.bytes(15, entry.bytes)
            }
        } catch {
            response.text(1, error.description)
        }
        return response.bytes
    }

    /// The request for protobuf-c's compiler that yields the C code which generated messages expect.
    package static func requestForC(_ request: [UInt8]) throws(GeneratorError) -> [UInt8] {
        let wire = try reading { () throws(WireError) in try WireFields(reading: request[...]) }
        let request = try GeneratorRequest(wire)
        return try reading { () throws(WireError) in try RequestRewriter.rewrite(request) }
    }

    private static func reading<Result>(
        _ body: () throws(WireError) -> Result
    ) throws(GeneratorError) -> Result {
        do throws(WireError) { return try body() } catch { throw .malformed(error) }
    }

    private static func generate(
        _ request: GeneratorRequest
    ) throws(GeneratorError) -> [(name: String, content: String)] {
        let parameters = try Parameters(request.parameter)
        let types = try SwiftTypes(request.files.map(\.definition))
        switch parameters.output {
        case .messages: return try messages(request.definitions, types, parameters.imports)
        case .services: return try services(request, types, parameters)
        }
    }

    private static func messages(
        _ files: [FileDefinition],
        _ types: SwiftTypes,
        _ imports: [String]
    ) throws(GeneratorError) -> [(name: String, content: String)] {
        var result: [(name: String, content: String)] = []
        for file in files {
            let emitter = MessageEmitter(file: file, types: types, imports: imports)
            result.append((fileName(file, "pb"), try emitter.source()))
        }
        result.append(("Namespaces.swift", namespaces(files)))
        return result
    }

    private static func services(
        _ request: GeneratorRequest,
        _ types: SwiftTypes,
        _ parameters: Parameters
    ) throws(GeneratorError) -> [(name: String, content: String)] {
        let files = request.definitions.filter { !$0.services.isEmpty }
        guard !files.isEmpty else { return [] }
        // The services' module has more imports than the descriptors need.
        let descriptors = DescriptorEmitter(
            request.files,
            symbols: types.symbols,
            imports: parameters.imports.filter { $0 == "RPC" }
        )
        var result: [(name: String, content: String)] = []
        for file in files {
            let emitter = ServiceEmitter(
                file: file,
                types: types,
                imports: parameters.imports,
                imported: (parameters.imported, request.wanted),
                descriptors: descriptors.references(for: file)
            )
            result.append((fileName(file, "rpc"), try emitter.source()))
        }
        let constants = try reading { () throws(WireError) in try descriptors.source(for: files) }
        result.append(("FileDescriptors.swift", constants))
        return result
    }

    /// What the compiler passes on from the plugin's option.
    private struct Parameters {
        enum Output: String { case messages, services }

        let output: Output
        let imports: [String]
        let imported: String?

        init(_ text: String) throws(GeneratorError) {
            var output: Output?
            var imports: Set<String> = []
            var imported: String?
            for part in text.split(separator: ",") {
                if part.hasPrefix("import=") {
                    imports.insert(String(part.dropFirst(7)))
                } else if part.hasPrefix("imported=") {
                    imported = String(part.dropFirst(9))
                } else if let value = Output(rawValue: String(part)) {
                    output = value
                } else {
                    throw .unknownParameter(String(part))
                }
            }
            guard let output else { throw .unknownParameter("give messages or services") }
            self.output = output
            self.imports = imports.sorted()
            self.imported = imported
        }
    }

    /// `petrel/engine/v1/engine.proto` → `petrel.engine.v1.engine.pb.swift`: unique within a module.
    private static func fileName(_ file: FileDefinition, _ kind: String) -> String {
        var name = file.name
        if name.hasSuffix(".proto") { name.removeLast(6) }
        return String(name.map { $0 == "/" ? "." : $0 }) + ".\(kind).swift"
    }

    private static func namespaces(_ files: [FileDefinition]) -> String {
        var text = SourceText()
        text.line("// SPDX-License-Identifier: Apache-2.0")
        text.line("// Generated by protoc-gen-petrel. Do not edit; run scripts/generate.")
        for (package, files) in Dictionary(grouping: files, by: \.package).sorted(by: { $0.key < $1.key }) {
            text.line()
            var paragraphs = [package.isEmpty ? "What has no package." : "Package `\(package)`."]
            for file in files where !file.comment.isEmpty {
                paragraphs.append(files.count > 1 ? "In `\(file.name)`: \(file.comment)" : file.comment)
            }
            text.documentation(paragraphs.joined(separator: "\n\n"))
            text.line("package enum \(Names.namespace(package: package)) {}")
        }
        return text.text
    }
}
