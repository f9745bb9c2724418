// SPDX-License-Identifier: Apache-2.0
package import Definitions

/// All types and services of some definition files, by their full names.
///
/// Files may be added in any order. A type that no file declares is missed only where it is needed.
package struct DefinitionPool: Sendable {
    /// Most files, and bytes of all of them: what a server's answers may cost.
    package static let fileLimit = 2000
    package static let sizeLimit = 32 << 20

    /// What a name stands for.
    package enum Symbol: Hashable, Sendable {
        case service(ServiceDefinition)
        case method(ServiceDefinition.Method, of: ServiceDefinition)
        /// Also for the name of a field or a oneof: the message that has it.
        case message(MessageDefinition)
        /// Also for the name of a value: its enum.
        case enumeration(EnumDefinition)
        /// An extension.
        case field(FieldDefinition)
    }

    private var files: [String: FileDefinition] = [:]
    private var sizeBytes = 0
    private var index = SymbolIndex()
    private var symbols: [String: Symbol] = [:]
    private var layouts: [String: MessageLayout] = [:]

    package init() {}

    /// Adds a file from its `FileDescriptorProto`; one whose name is known is passed over.
    /// - Throws: `DefinitionError`; then nothing of the file is added.
    package mutating func add(serialized bytes: [UInt8]) throws(DefinitionError) {
        guard sizeBytes + bytes.count <= Self.sizeLimit else { throw .tooLarge(limitBytes: Self.sizeLimit) }
        let file = try FileDefinition(serialized: bytes)
        guard files[file.name] == nil else { return }
        guard files.count < Self.fileLimit else { throw .tooManyElements(limit: Self.fileLimit) }
        try index.add(file)
        sizeBytes += bytes.count
        files[file.name] = file
        let scope = file.package.isEmpty ? "" : file.package + "."
        for message in file.messages { add(message) }
        for definition in file.enums { add(definition, in: scope) }
        for field in file.extensions { symbols[field.fullName] = .field(field) }
        for service in file.services {
            symbols[service.fullName] = .service(service)
            for method in service.methods { symbols[method.fullName] = .method(method, of: service) }
        }
    }

    /// The names of files that others import and that were not added.
    package var missingFiles: [String] { index.missingFiles }

    /// Sorted by name.
    package var services: [ServiceDefinition] {
        files.values.flatMap(\.services).sorted { $0.fullName < $1.fullName }
    }

    /// - Parameter name: A full name; a method may stand behind a slash: `petrel.engine.v1.System/Version`.
    package func symbol(_ name: String) -> Symbol? {
        let point = name.hasPrefix(".") ? String(name.dropFirst()) : name
        return symbols[point] ?? symbols[String(point.map { $0 == "/" ? "." : $0 })]
    }

    /// Of everything but fields, oneofs and values.
    package var names: [String] {
        symbols.compactMap { name, symbol in
            switch symbol {
            case .service(let definition): definition.fullName == name ? name : nil
            case .method(let definition, _): definition.fullName == name ? name : nil
            case .message(let definition): definition.fullName == name ? name : nil
            case .enumeration(let definition): definition.fullName == name ? name : nil
            case .field: name
            }
        }.sorted()
    }

    package func service(_ name: String) -> ServiceDefinition? {
        guard case .service(let service) = symbols[name] else { return nil }
        return service
    }

    /// The file that declares a symbol.
    package func file(declaring symbol: String) -> FileDefinition? {
        index.file(declaring: symbol).flatMap { files[$0] }
    }

    func layout(_ name: String) -> MessageLayout? { layouts[name] }

    func enumeration(_ name: String) -> EnumDefinition? {
        guard case .enumeration(let definition) = symbols[name] else { return nil }
        return definition
    }

    /// The message that stands for a map's entries; nil for a field that is no map.
    func mapEntry(_ field: FieldDefinition) -> (key: FieldDefinition, value: FieldDefinition)? {
        guard field.isRepeated, case .message(let name) = field.kind else { return nil }
        return layouts[name]?.definition.entry
    }

    private mutating func add(_ message: MessageDefinition) {
        let scope = message.fullName + "."
        symbols[message.fullName] = .message(message)
        layouts[message.fullName] = MessageLayout(message)
        for field in message.fields { symbols[field.fullName] = .message(message) }
        for oneof in message.oneofs { symbols[scope + oneof.name] = .message(message) }
        for field in message.extensions { symbols[field.fullName] = .field(field) }
        for definition in message.enums { add(definition, in: scope) }
        for nested in message.messages { add(nested) }
    }

    private mutating func add(_ definition: EnumDefinition, in scope: String) {
        symbols[definition.fullName] = .enumeration(definition)
        for value in definition.values { symbols[scope + value.name] = .enumeration(definition) }
    }
}

/// A message's fields by number and by name.
struct MessageLayout: Sendable {
    let definition: MessageDefinition
    private var byNumber: [Int: Int] = [:]
    private var byName: [String: Int] = [:]

    init(_ definition: MessageDefinition) {
        self.definition = definition
        for (index, field) in definition.fields.enumerated() {
            byNumber[field.number] = index
            byName[field.name] = index
        }
        // Where one field's JSON name is another's own name, the JSON name counts.
        for (index, field) in definition.fields.enumerated() { byName[field.jsonName] = index }
    }

    func field(number: Int) -> FieldDefinition? { byNumber[number].map { definition.fields[$0] } }

    /// By its JSON name or its own.
    func field(named name: String) -> FieldDefinition? { byName[name].map { definition.fields[$0] } }
}
