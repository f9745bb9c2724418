// SPDX-License-Identifier: Apache-2.0

/// Refuses definitions that are not plain proto3, before anything is made of them.
///
/// The protobuf compiler itself refuses most of proto2 in a proto3 file. It lets through other syntaxes, also in
/// imported files, and extensions of options.
enum Proto3 {
    /// - Throws: `.unsupported` with the first thing in the request's files, imported ones included, that cannot be
    ///   served.
    static func check(_ request: WireMessage) throws(GeneratorError) {
        let files = try request.messages(15)
        // What is to be generated first: what is wrong with an import often follows from there.
        let wanted = Set(request.texts(1))
        for file in files.filter({ wanted.contains($0.text(1)) })
            + files.filter({ !wanted.contains($0.text(1)) })
        {
            try checkSyntax(file, files)
            let scope = Scope(file: file.text(1), prefix: file.text(2))
            try refuseExtensions(try file.messages(7), in: scope)
            for message in try file.messages(4) { try check(message, in: scope) }
        }
    }

    private struct Scope {
        let file: String
        /// Full name of the package or message.
        let prefix: String

        func name(_ name: String) -> String { prefix.isEmpty ? name : prefix + "." + name }

        func unsupported(_ element: String, _ problem: String, _ advice: String) -> GeneratorError {
            .unsupported(file: file, element: name(element), problem: problem, advice: advice)
        }
    }

    private static func checkSyntax(_ file: WireMessage, _ files: [WireMessage]) throws(GeneratorError) {
        let syntax = file.text(12)
        guard syntax != "proto3" else { return }
        let name = file.text(1)
        let importers = files.filter { $0.texts(3).contains(name) }.map { $0.text(1) }.sorted()
        let problem =
            syntax == "editions" ? "uses an edition" : "has syntax \(syntax.isEmpty ? "proto2" : syntax)"
        let own = "write it in proto3 (syntax = \"proto3\";)"
        let advice =
            importers.isEmpty
            ? own : own + ", or remove its import from \(importers.joined(separator: ", "))"
        throw .unsupported(file: name, element: "", problem: problem, advice: advice)
    }

    private static func refuseExtensions(
        _ extensions: [WireMessage],
        in scope: Scope
    ) throws(GeneratorError) {
        guard let first = extensions.first else { return }
        let extended = first.text(2).drop { $0 == "." }
        throw scope.unsupported(
            first.text(1),
            "extends \(extended)",
            extended.hasPrefix("google.protobuf.")
                ? "custom options are not read: remove the extension and its uses"
                : "extensions do not exist in proto3: make it a field of the message"
        )
    }

    private static func check(_ message: WireMessage, in outer: Scope) throws(GeneratorError) {
        let scope = Scope(file: outer.file, prefix: outer.name(message.text(1)))
        try refuseExtensions(try message.messages(6), in: scope)
        guard try message.messages(5).isEmpty else {
            throw outer.unsupported(
                message.text(1),
                "has a range for extensions",
                "extensions do not exist in proto3: remove the range"
            )
        }
        for field in try message.messages(2) { try check(field: field, in: scope) }
        for nested in try message.messages(3) { try check(nested, in: scope) }
    }

    private static func check(field: WireMessage, in scope: Scope) throws(GeneratorError) {
        let name = field.text(1)
        if field.integer(5) == 10 {
            throw scope.unsupported(name, "is a group", "make it a field of a nested message's type")
        }
        if field.integer(4) == 2 {
            throw scope.unsupported(name, "is required", "proto3 has no required fields: remove the word")
        }
        if !field.texts(7).isEmpty {
            throw scope.unsupported(name, "has a default value", "in proto3 it is always zero: remove it")
        }
    }
}
