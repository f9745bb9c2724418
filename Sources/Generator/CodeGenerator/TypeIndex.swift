// SPDX-License-Identifier: Apache-2.0

/// Every message and enum of a request by its full name.
struct TypeIndex {
    private var swiftNames: [String: String] = [:]
    private var messages: [String: MessageDefinition] = [:]

    init(_ files: [FileDefinition]) {
        for file in files {
            let namespace = Names.namespace(package: file.package)
            for message in file.messages { add(message, in: namespace) }
            for definition in file.enums { add(definition, in: namespace) }
        }
    }

    /// `EngineV1.ContainerConfig`.
    func swiftName(_ fullName: String) -> String { swiftNames[fullName] ?? "Never" }

    /// The definition of a map's entry, when that is what the field holds.
    func mapEntry(_ field: FieldDefinition) -> MessageDefinition? {
        guard field.isRepeated, case .message(let name) = field.kind, let entry = messages[name],
            entry.isMapEntry
        else { return nil }
        return entry
    }

    /// Whether a message can contain itself, at any distance: only then must nesting be checked before decoding.
    func isRecursive(_ fullName: String) -> Bool {
        var visited: Set<String> = []
        var path: Set<String> = []
        return reachesCycle(fullName, &visited, &path)
    }

    /// Whether `target` is held by value, through singular fields, in a message of type `start`.
    func embeds(_ start: String, _ target: String) -> Bool {
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

    private mutating func add(_ message: MessageDefinition, in parent: String) {
        let name = parent + "." + Names.typeName(message.name)
        swiftNames[message.fullName] = name
        messages[message.fullName] = message
        for nested in message.messages { add(nested, in: name) }
        for definition in message.enums { add(definition, in: name) }
    }

    private mutating func add(_ definition: EnumDefinition, in parent: String) {
        swiftNames[definition.fullName] = parent + "." + Names.typeName(definition.name)
    }
}
