// SPDX-License-Identifier: Apache-2.0

/// Which file declares what: the index of a server's reflection, and of whoever looks for a name.
package struct SymbolIndex: Sendable {
    private struct Extension: Hashable {
        let type: String
        let number: Int
    }

    private var files: [String: [String]] = [:]
    private var symbols: [String: String] = [:]
    private var extensions: [Extension: String] = [:]
    private var numbers: [String: [Int]] = [:]

    package init() {}

    /// Adds what a file declares; a file whose name is known is passed over.
    /// - Throws: `.declaredTwice`; then nothing of the file is added.
    package mutating func add(_ file: FileDefinition) throws(DefinitionError) {
        guard files[file.name] == nil else { return }
        let declared = Self.symbols(of: file)
        var seen: Set<String> = []
        for symbol in declared {
            let other = symbols[symbol] ?? (seen.insert(symbol).inserted ? nil : file.name)
            if let other { throw .declaredTwice(symbol: symbol, files: [other, file.name]) }
        }
        files[file.name] = file.dependencies
        for symbol in declared { symbols[symbol] = file.name }
        for field in Self.extensions(of: file) {
            extensions[Extension(type: field.extendee, number: field.number)] = file.name
            numbers[field.extendee, default: []].append(field.number)
        }
    }

    /// The names of files that others import and that were not added.
    package var missingFiles: [String] {
        Set(files.values.joined()).filter { files[$0] == nil }.sorted()
    }

    /// A file and all that it imports, directly or not, itself first; nil for a file that was not added.
    package func closure(of file: String) -> [String]? {
        guard files[file] != nil else { return nil }
        var found = [file]
        var seen: Set<String> = [file]
        var next = 0
        while next < found.count {
            for dependency in files[found[next]] ?? []
            where files[dependency] != nil && seen.insert(dependency).inserted {
                found.append(dependency)
            }
            next += 1
        }
        return found
    }

    /// The file that declares a service, method, message, field, enum, value or extension; by its full name.
    package func file(declaring symbol: String) -> String? { symbols[symbol] }

    package func file(extending type: String, number: Int) -> String? {
        extensions[Extension(type: type, number: number)]
    }

    /// Ascending.
    package func extensionNumbers(of type: String) -> [Int] { (numbers[type] ?? []).sorted() }

    // MARK: - What a file declares

    private static func symbols(of file: FileDefinition) -> [String] {
        let scope = file.package.isEmpty ? "" : file.package + "."
        var result = file.messages.flatMap(symbols) + file.extensions.map(\.fullName)
        for definition in file.enums { result += symbols(of: definition, in: scope) }
        for service in file.services { result += [service.fullName] + service.methods.map(\.fullName) }
        return result
    }

    private static func symbols(of message: MessageDefinition) -> [String] {
        let scope = message.fullName + "."
        var result = [message.fullName] + message.fields.map(\.fullName) + message.extensions.map(\.fullName)
        result += message.oneofs.map { scope + $0.name }
        for definition in message.enums { result += symbols(of: definition, in: scope) }
        return result + message.messages.flatMap(symbols)
    }

    /// An enum's values stand beside it, not within.
    private static func symbols(of definition: EnumDefinition, in scope: String) -> [String] {
        [definition.fullName] + definition.values.map { scope + $0.name }
    }

    private static func extensions(of file: FileDefinition) -> [FieldDefinition] {
        file.extensions + file.messages.flatMap(extensions)
    }

    private static func extensions(of message: MessageDefinition) -> [FieldDefinition] {
        message.extensions + message.messages.flatMap(extensions)
    }
}
