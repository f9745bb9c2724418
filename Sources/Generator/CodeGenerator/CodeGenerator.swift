// SPDX-License-Identifier: Apache-2.0

/// The plugin's work: a `CodeGeneratorRequest` in, a `CodeGeneratorResponse` out, both as bytes.
package enum CodeGenerator {
    /// Generates what the request's parameter names: `messages` or `services`, and `import=MODULE` for each module
    /// that the generated files are to import. `imported=MODULE` is the module with the messages of files that are not
    /// generated along; services import it where they use one.
    ///
    /// Mistakes in the definitions are reported in the response, as the protocol wants it.
    /// - Throws: `.malformed` when the request cannot be read.
    package static func respond(to request: [UInt8]) throws(GeneratorError) -> [UInt8] {
        let wire = try WireMessage(request)
        var response = WireMessage()
        // FEATURE_PROTO3_OPTIONAL.
        response.set(2, .varint(1))
        do throws(GeneratorError) {
            for file in try generate(wire) {
                var entry = WireMessage()
                entry.append(1, file.name)
                entry.append(15, file.content)
                response.fields.append(.init(number: 15, value: .bytes(entry.serialized())))
            }
        } catch {
            response.fields.removeAll { $0.number == 15 }
            response.append(1, error.description)
        }
        return response.serialized()
    }

    /// The request for protobuf-c's compiler that yields the C code which generated messages expect.
    package static func requestForC(_ request: [UInt8]) throws(GeneratorError) -> [UInt8] {
        try RequestRewriter.rewrite(request)
    }

    private static func generate(
        _ wire: WireMessage
    ) throws(GeneratorError) -> [(name: String, content: String)] {
        let parameters = try Parameters(wire.text(2))
        try Proto3.check(wire)
        var files: [(definition: FileDefinition, wire: WireMessage)] = []
        for file in try wire.messages(15) { files.append((try FileDefinition(file), file)) }
        let index = try TypeIndex(files.map(\.definition))
        let wanted = Set(wire.texts(1))
        let definitions = files.map(\.definition).filter { wanted.contains($0.name) }
        switch parameters.output {
        case .messages: return try messages(definitions, index, parameters.imports)
        case .services: return try services(definitions, files, index, parameters)
        }
    }

    private static func messages(
        _ files: [FileDefinition],
        _ index: TypeIndex,
        _ imports: [String]
    ) throws(GeneratorError) -> [(name: String, content: String)] {
        var result: [(name: String, content: String)] = []
        for file in files {
            let emitter = MessageEmitter(file: file, index: index, imports: imports)
            result.append((fileName(file, "pb"), try emitter.source()))
        }
        result.append(("Namespaces.swift", namespaces(files)))
        return result
    }

    private static func services(
        _ files: [FileDefinition],
        _ all: [(definition: FileDefinition, wire: WireMessage)],
        _ index: TypeIndex,
        _ parameters: Parameters
    ) throws(GeneratorError) -> [(name: String, content: String)] {
        let generated = Set(files.map(\.name))
        let files = files.filter { !$0.services.isEmpty }
        guard !files.isEmpty else { return [] }
        // The services' module has more imports than the descriptors need.
        let descriptors = DescriptorEmitter(all, imports: parameters.imports.filter { $0 == "RPC" })
        var result: [(name: String, content: String)] = []
        for file in files {
            let emitter = ServiceEmitter(
                file: file,
                index: index,
                imports: parameters.imports,
                imported: (parameters.imported, generated),
                descriptors: descriptors.references(for: file)
            )
            result.append((fileName(file, "rpc"), try emitter.source()))
        }
        result.append(("FileDescriptors.swift", try descriptors.source(for: files)))
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
