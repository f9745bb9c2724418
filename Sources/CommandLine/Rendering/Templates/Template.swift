// SPDX-License-Identifier: Apache-2.0
package import JSON

/// Go's templates, as `--format` takes them: `{{.Name}}`, `{{range .Mounts}}{{.Source}} {{end}}`, `{{json .Config}}`.
///
/// What there is: fields, variables, `if`, `else`, `with`, `range`, `break`, `continue`, pipes, brackets, trimming
/// (`{{-`, `-}}`), comments, Go's functions and those of the Docker command line. What there is not: named templates,
/// methods, `call`, `html`, `js`, `urlquery`. Text, depth, steps and output are bounded.
package struct Template: Sendable {
    private static let maximumBytes = 64 << 10

    private let source: String
    private let nodes: [TemplateNode]

    /// - Throws: when it is not understood, with the place and a way out.
    package init(_ text: String) throws(Failure) {
        source = text
        do throws(TemplateProblem) {
            guard text.utf8.count <= Self.maximumBytes else {
                throw TemplateProblem("it is longer than \(Self.maximumBytes >> 10) KiB")
            }
            var parser = TemplateParser(try TemplateLexer.pieces(text))
            nodes = try parser.parse()
        } catch {
            throw Self.failure(text, error)
        }
    }

    /// - Parameter labels: What `.Label "name"` is; nil where there is no such thing.
    /// - Parameter isStrict: Printing a field that is not there is a mistake; else it gives `<no value>`.
    /// - Throws: when something cannot be done with this object, or becomes too much.
    package func text(
        of object: JSON,
        labels: ((String) -> String)? = nil,
        isStrict: Bool = false
    ) throws(Failure) -> String {
        var evaluation = TemplateEvaluation(object, labels: labels, isStrict: isStrict)
        do throws(TemplateProblem) {
            try evaluation.run(nodes)
        } catch {
            throw Self.failure(source, error)
        }
        return evaluation.output
    }

    /// The last names of the fields that are printed, as a table's heading.
    var fieldNames: [String] {
        nodes.compactMap { node in
            guard case .action(let pipeline) = node else { return nil }
            for case .dot(let names) in pipeline.commands.joined() { return names.last }
            return pipeline.source
        }
    }

    private static func failure(_ text: String, _ problem: TemplateProblem) -> Failure {
        Failure(
            "--format '\(text.prefix(200))'",
            problem.why,
            advice: "Write fields in double braces, as in '{{.ID}}', or use json."
        )
    }
}
