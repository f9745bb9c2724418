// SPDX-License-Identifier: Apache-2.0
internal import Definitions

/// What the messages and enums of a request, by their full names, are called in Swift, and how they hold each other.
struct SwiftTypes {
    /// Of all files.
    private(set) var symbols = SymbolIndex()
    private var names: [String: String] = [:]
    private var messages: [String: MessageDefinition] = [:]
    /// What has a name in Swift or C already, to find a second that would get the same.
    private var taken: [String: String] = [:]
    private var namespaces: [String: String] = [:]

    /// - Throws: `.unsupported` when two types, or two packages, would have the same name in Swift or in C; `.unreadable`
    ///   when two files declare one symbol.
    init(_ files: [FileDefinition]) throws(GeneratorError) {
        for file in files {
            do throws(DefinitionError) { try symbols.add(file) } catch { throw .unreadable(error) }
            let namespace = Names.namespace(package: file.package)
            if let other = namespaces[namespace], other != file.package {
                throw .unsupported(
                    file: file.name,
                    element: "package \(file.package)",
                    problem: "and package \(other) would both be \(namespace) in Swift",
                    advice: "rename one of them"
                )
            }
            namespaces[namespace] = file.package
            for message in file.messages { try add(message, in: namespace, file.name) }
            for definition in file.enums { try add(definition, in: namespace, file.name) }
            for service in file.services {
                for suffix in ["Client", "Service"] {
                    try claim(namespace + "." + service.name + suffix, for: service.fullName, file.name)
                }
            }
        }
    }

    /// `EngineV1.ContainerConfig`.
    func swiftName(_ fullName: String) -> String { names[fullName] ?? "Never" }

    /// The file that defines a message.
    func file(of fullName: String) -> String { symbols.file(declaring: fullName) ?? "" }

    /// Whether a package's namespace declares a type of that name.
    func declares(_ name: String, in namespace: String) -> Bool { taken[namespace + "." + name] != nil }

    /// Key and value of a map, when that is what the field holds.
    func mapEntry(_ field: FieldDefinition) -> (key: FieldDefinition, value: FieldDefinition)? {
        guard field.isRepeated, case .message(let name) = field.kind else { return nil }
        return messages[name]?.entry
    }

    /// Whether a message can contain itself, at any distance: only then must nesting be checked before decoding.
    func isRecursive(_ fullName: String) -> Bool {
        var visited: Set<String> = []
        var path: Set<String> = []
        return reachesCycle(fullName, &visited, &path)
    }

    /// Whether the field's value, as a structure, would contain one of the message that the field is in.
    func isHolder(_ field: FieldDefinition, of message: MessageDefinition) -> Bool {
        guard !field.isRepeated, case .message(let type) = field.kind else { return false }
        return embeds(type, message.fullName)
    }

    /// Whether `target` is held through singular fields in a message of type `start`, or is that type.
    private func embeds(_ start: String, _ target: String) -> Bool {
        var visited: Set<String> = []
        var waiting = [start]
        while let name = waiting.popLast() {
            if name == target { return true }
            guard visited.insert(name).inserted, let message = messages[name] else { continue }
            for field in message.fields where !field.isRepeated {
                if case .message(let type) = field.kind { waiting.append(type) }
            }
        }
        return false
    }

    private func reachesCycle(_ name: String, _ visited: inout Set<String>, _ path: inout Set<String>) -> Bool
    {
        if path.contains(name) { return true }
        guard visited.insert(name).inserted, let message = messages[name] else { return false }
        path.insert(name)
        defer { path.remove(name) }
        for field in message.fields {
            guard case .message(let type) = field.kind else { continue }
            if reachesCycle(type, &visited, &path) { return true }
        }
        return false
    }

    private mutating func add(
        _ message: MessageDefinition,
        in parent: String,
        _ file: String
    ) throws(GeneratorError) {
        let name = parent + "." + Names.typeName(message.name)
        try claim(name, for: message.fullName, file)
        try claim(Names.cType(message.fullName), for: message.fullName, file)
        try claim(Names.cPrefix(message.fullName), for: message.fullName, file)
        names[message.fullName] = name
        messages[message.fullName] = message
        for nested in message.messages { try add(nested, in: name, file) }
        for definition in message.enums { try add(definition, in: name, file) }
    }

    private mutating func add(
        _ definition: EnumDefinition,
        in parent: String,
        _ file: String
    ) throws(GeneratorError) {
        let name = parent + "." + Names.typeName(definition.name)
        try claim(name, for: definition.fullName, file)
        names[definition.fullName] = name
    }

    private mutating func claim(
        _ name: String,
        for fullName: String,
        _ file: String
    ) throws(GeneratorError) {
        guard let other = taken.updateValue(fullName, forKey: name), other != fullName else { return }
        throw .unsupported(
            file: file,
            element: fullName,
            problem: "and \(other) would both be \(name) in generated code",
            advice: "rename one of them"
        )
    }
}
