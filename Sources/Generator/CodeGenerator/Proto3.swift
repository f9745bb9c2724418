// SPDX-License-Identifier: Apache-2.0
internal import Definitions

/// Refuses definitions that are not plain proto3, before anything is made of them.
///
/// The protobuf compiler itself refuses most of proto2 in a proto3 file. It lets through other syntaxes, also in
/// imported files, and extensions of options.
enum Proto3 {
    /// - Throws: `.unsupported` with the first thing that cannot be served.
    static func check(_ files: [FileDefinition], wanted: Set<String>) throws(GeneratorError) {
        // What is to be generated first: what is wrong with an import often follows from there.
        for file in files.filter({ wanted.contains($0.name) }) + files.filter({ !wanted.contains($0.name) }) {
            try checkSyntax(file, files)
            try refuseExtensions(file.extensions, in: file.name)
            for message in file.messages { try check(message, in: file.name) }
        }
    }

    private static func checkSyntax(_ file: FileDefinition, _ files: [FileDefinition]) throws(GeneratorError)
    {
        guard file.syntax != .proto3 else { return }
        let importers = files.filter { $0.dependencies.contains(file.name) }.map(\.name).sorted()
        let own = "write it in proto3 (syntax = \"proto3\";)"
        throw .unsupported(
            file: file.name,
            element: "",
            problem: file.syntax == .edition ? "uses an edition" : "has syntax proto2",
            advice: importers.isEmpty
                ? own : own + ", or remove its import from \(importers.joined(separator: ", "))"
        )
    }

    private static func refuseExtensions(
        _ extensions: [FieldDefinition],
        in file: String
    ) throws(GeneratorError) {
        guard let first = extensions.first else { return }
        throw .unsupported(
            file: file,
            element: first.fullName,
            problem: "extends \(first.extendee)",
            advice: first.extendee.hasPrefix("google.protobuf.")
                ? "custom options are not read: remove the extension and its uses"
                : "extensions do not exist in proto3: make it a field of the message"
        )
    }

    private static func check(_ message: MessageDefinition, in file: String) throws(GeneratorError) {
        try refuseExtensions(message.extensions, in: file)
        guard message.extensionRanges.isEmpty else {
            throw .unsupported(
                file: file,
                element: message.fullName,
                problem: "has a range for extensions",
                advice: "extensions do not exist in proto3: remove the range"
            )
        }
        for field in message.fields {
            guard let (problem, advice) = fault(of: field) else { continue }
            throw .unsupported(file: file, element: field.fullName, problem: problem, advice: advice)
        }
        for nested in message.messages { try check(nested, in: file) }
    }

    private static func fault(of field: FieldDefinition) -> (problem: String, advice: String)? {
        if case .group = field.kind { return ("is a group", "make it a field of a nested message's type") }
        if field.label == .required {
            return ("is required", "proto3 has no required fields: remove the word")
        }
        if field.defaultValue != nil {
            return ("has a default value", "in proto3 it is always zero: remove it")
        }
        return nil
    }
}
