// SPDX-License-Identifier: Apache-2.0
internal import JSON

/// Builds a template's nodes from its pieces.
///
/// Source followed: Go's text/template, its `parse.go`. Named templates (`define`, `template`, `block`) are left out.
struct TemplateParser {
    /// Deeper than anybody writes, and far from the end of the stack.
    private static let maximumDepth = 50

    private var pieces: ArraySlice<TemplateLexer.Piece>
    private var depth = 0
    private var loops = 0

    init(_ pieces: [TemplateLexer.Piece]) { self.pieces = pieces[...] }

    /// The whole template.
    mutating func parse() throws(TemplateProblem) -> [TemplateNode] {
        let (nodes, end) = try list()
        if let end { throw TemplateProblem("{{\(end.keyword)}} belongs to no if, range or with") }
        return nodes
    }

    /// What ended a list: `end`, or `else` with what follows it.
    private struct End {
        let keyword: String
        let rest: [TemplateToken]
        let source: String
    }

    private mutating func list() throws(TemplateProblem) -> ([TemplateNode], End?) {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maximumDepth else {
            throw TemplateProblem("blocks are more than \(Self.maximumDepth) deep")
        }
        var nodes: [TemplateNode] = []
        while let piece = pieces.popFirst() {
            switch piece {
            case .text(let text): if !text.isEmpty { nodes.append(.text(text)) }
            case .action(let tokens, let source):
                if case .word(let keyword)? = tokens.first, keyword == "end" || keyword == "else" {
                    let rest = Array(tokens.dropFirst())
                    guard keyword == "else" || rest.isEmpty else {
                        throw TemplateProblem("nothing may follow 'end' in {{\(source)}}")
                    }
                    return (nodes, End(keyword: keyword, rest: rest, source: source))
                }
                nodes.append(try node(tokens, source))
            }
        }
        return (nodes, nil)
    }

    private mutating func node(_ tokens: [TemplateToken], _ source: String) throws(TemplateProblem)
        -> TemplateNode
    {
        guard case .word(let keyword)? = tokens.first else {
            return .action(try PipelineParser.whole(tokens, source))
        }
        let rest = Array(tokens.dropFirst())
        switch keyword {
        case "if", "with", "range": return try block(keyword, rest, source)
        case "break", "continue":
            guard loops > 0, rest.isEmpty else {
                throw TemplateProblem("{{\(keyword)}} stands alone, within a range")
            }
            return keyword == "break" ? .leave : .next
        case "define", "template", "block":
            throw TemplateProblem("{{\(keyword)}} is not supported: named templates are not")
        default: return .action(try PipelineParser.whole(tokens, source))
        }
    }

    private mutating func block(_ keyword: String, _ tokens: [TemplateToken], _ source: String)
        throws(TemplateProblem) -> TemplateNode
    {
        guard !tokens.isEmpty else { throw TemplateProblem("{{\(keyword)}} has nothing to look at") }
        let pipeline = try PipelineParser.whole(tokens, source, isRange: keyword == "range")
        if keyword == "range" { loops += 1 }
        let (body, end) = try list()
        if keyword == "range" { loops -= 1 }
        guard let end else { throw TemplateProblem("{{\(source)}} has no {{end}}") }
        var otherwise: [TemplateNode] = []
        if end.keyword == "else" {
            if case .word(let next)? = end.rest.first, next == "if" || next == "with" {
                // Its own {{end}} ends both.
                depth += 1
                defer { depth -= 1 }
                guard depth <= Self.maximumDepth else {
                    throw TemplateProblem("blocks are more than \(Self.maximumDepth) deep")
                }
                otherwise = [try block(next, Array(end.rest.dropFirst()), end.source)]
            } else {
                guard end.rest.isEmpty else { throw TemplateProblem("{{\(end.source)}} is not understood") }
                let (nodes, last) = try list()
                guard let last, last.keyword == "end" else {
                    throw TemplateProblem("{{\(source)}} has no {{end}}")
                }
                otherwise = nodes
            }
        }
        switch keyword {
        case "if": return .condition(pipeline, then: body, otherwise: otherwise)
        case "with": return .with(pipeline, body: body, otherwise: otherwise)
        default: return .range(pipeline, body: body, otherwise: otherwise)
        }
    }
}

/// Reads one pipeline from tokens.
private struct PipelineParser {
    private static let maximumDepth = 50

    var tokens: ArraySlice<TemplateToken>
    let source: String
    var depth = 0

    static func whole(_ tokens: [TemplateToken], _ source: String, isRange: Bool = false)
        throws(TemplateProblem) -> TemplatePipeline
    {
        var parser = PipelineParser(tokens: tokens[...], source: source)
        let pipeline = try parser.pipeline(isInner: false)
        guard pipeline.variables.count < 2 || isRange else {
            throw TemplateProblem("only a range sets two variables, not {{\(source)}}")
        }
        return pipeline
    }

    mutating func pipeline(isInner: Bool) throws(TemplateProblem) -> TemplatePipeline {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maximumDepth else {
            throw TemplateProblem("brackets are more than \(Self.maximumDepth) deep")
        }
        var result = TemplatePipeline(source: source)
        if !isInner { try declarations(&result) }
        while true {
            result.commands.append(try command())
            guard let token = tokens.popFirst() else {
                if isInner { throw TemplateProblem("a '(' is not closed in {{\(source)}}") }
                return result
            }
            if token == .pipe { continue }
            guard token == .close, isInner else { throw TemplateProblem("{{\(source)}} is not understood") }
            return result
        }
    }

    private mutating func declarations(_ result: inout TemplatePipeline) throws(TemplateProblem) {
        guard case .variable(let first, [])? = tokens.first else { return }
        var names = [first]
        var rest = tokens.dropFirst()
        if rest.first == .comma, case .variable(let second, [])? = rest.dropFirst().first {
            names.append(second)
            rest = rest.dropFirst(2)
        }
        guard rest.first == .declare || rest.first == .assign else {
            if names.count == 2 { throw TemplateProblem("{{\(source)}} is not understood") }
            return
        }
        result.variables = names
        result.assigns = rest.first == .assign
        tokens = rest.dropFirst()
    }

    private mutating func command() throws(TemplateProblem) -> [TemplateOperand] {
        var operands: [TemplateOperand] = []
        while let token = tokens.first, token != .pipe, token != .close {
            tokens = tokens.dropFirst()
            switch token {
            case .field(let names): operands.append(.dot(names))
            case .variable(let name, let names): operands.append(.variable(name, names))
            case .string(let text): operands.append(.literal(.string(text)))
            case .integer(let number): operands.append(.literal(.integer(number)))
            case .double(let number): operands.append(.literal(.double(number)))
            case .word("true"): operands.append(.literal(true))
            case .word("false"): operands.append(.literal(false))
            case .word("nil"): operands.append(.literal(.null))
            case .word(let name):
                guard TemplateFunctions.names.contains(name) else { throw Self.unknown(name) }
                operands.append(.function(name))
            case .open:
                let inner = try pipeline(isInner: true)
                var names: [String] = []
                if case .chained(let chained)? = tokens.first {
                    names = chained
                    tokens = tokens.dropFirst()
                }
                operands.append(.group(inner, names))
            default: throw TemplateProblem("{{\(source)}} is not understood")
            }
        }
        guard !operands.isEmpty else {
            throw TemplateProblem(source.isEmpty ? "{{}} is empty" : "a command is missing in {{\(source)}}")
        }
        return operands
    }

    private static func unknown(_ name: String) -> TemplateProblem {
        if let nearest = Suggestion.nearest(to: name, in: TemplateFunctions.names.sorted()) {
            return TemplateProblem("function '\(name)' is not known, perhaps '\(nearest)' is meant")
        }
        return TemplateProblem("function '\(name)' is not known; a field is written '.\(name)'")
    }
}
