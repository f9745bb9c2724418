// SPDX-License-Identifier: Apache-2.0
internal import JSON

/// One run of a template over one object. Bounded in steps and in what it prints.
struct TemplateEvaluation {
    private static let maximumSteps = 1_000_000
    private static let maximumOutput = 16 << 20
    /// Objects with keys of the user's: what they do not have is no mistake in the template.
    private static let openObjects: Set<String> = [
        "Labels", "Annotations", "Networks", "Ports", "Volumes", "ExposedPorts", "Attributes", "Data",
        "Sysctls", "PortBindings", "Options", "Storage", "Tmpfs", "Runtimes", "DriverOpts",
    ]

    private let root: JSON
    private let labels: ((String) -> String)?
    /// What is printed of a field that is not there: a failure, or `<no value>`.
    private let isStrict: Bool
    private(set) var output = ""
    private var variables: [(name: String, value: JSON?)]
    private var steps = 0
    /// The path of the field that was looked for last and is not there.
    private var absent: (path: [String], siblings: [String])?

    private enum Flow { case on, next, leave }

    init(_ root: JSON, labels: ((String) -> String)?, isStrict: Bool) {
        self.root = root
        self.labels = labels
        self.isStrict = isStrict
        variables = [("", root)]
    }

    mutating func run(_ nodes: [TemplateNode]) throws(TemplateProblem) {
        _ = try run(nodes, dot: root)
    }

    private mutating func run(_ nodes: [TemplateNode], dot: JSON?) throws(TemplateProblem) -> Flow {
        let outer = variables.count
        defer { variables.removeLast(variables.count - outer) }
        for node in nodes {
            let flow = try run(node, dot: dot)
            if flow != .on { return flow }
        }
        return .on
    }

    private mutating func run(_ node: TemplateNode, dot: JSON?) throws(TemplateProblem) -> Flow {
        try step()
        switch node {
        case .text(let text): try print(text)
        case .action(let pipeline):
            let value = try evaluate(pipeline, dot)
            if pipeline.variables.isEmpty { try print(try printed(value)) } else { set(pipeline, value) }
        case .condition(let pipeline, let then, let otherwise):
            return try scoped(pipeline, dot) { (run, value) throws(TemplateProblem) in
                try run.run(TemplateFunctions.isTrue(value) ? then : otherwise, dot: dot)
            }
        case .with(let pipeline, let body, let otherwise):
            return try scoped(pipeline, dot) { (run, value) throws(TemplateProblem) in
                TemplateFunctions.isTrue(value)
                    ? try run.run(body, dot: value) : try run.run(otherwise, dot: dot)
            }
        case .range(let pipeline, let body, let otherwise): return try loop(pipeline, body, otherwise, dot)
        case .leave: return .leave
        case .next: return .next
        }
        return .on
    }

    /// A variable that the condition sets is gone after the block.
    private mutating func scoped(
        _ pipeline: TemplatePipeline,
        _ dot: JSON?,
        _ body: (inout TemplateEvaluation, JSON?) throws(TemplateProblem) -> Flow
    ) throws(TemplateProblem) -> Flow {
        let outer = variables.count
        defer { variables.removeLast(variables.count - outer) }
        let value = try evaluate(pipeline, dot)
        set(pipeline, value)
        return try body(&self, value)
    }

    private mutating func loop(
        _ pipeline: TemplatePipeline,
        _ body: [TemplateNode],
        _ otherwise: [TemplateNode],
        _ dot: JSON?
    ) throws(TemplateProblem) -> Flow {
        let value = try evaluate(pipeline, dot)
        let elements: [(JSON, JSON)]
        switch value {
        case .array(let array): elements = array.enumerated().map { (.integer(Int64($0.offset)), $0.element) }
        case .object(let object):
            elements = object.sorted { $0.key < $1.key }.map { (.string($0.key), $0.value) }
        case .integer(let count) where count <= Int64(Self.maximumSteps):
            elements = (0..<max(0, count)).map { (.integer($0), .integer($0)) }
        case .null, nil: elements = []
        default: throw TemplateProblem("range cannot go over \(TemplateFunctions.kind(value))")
        }
        guard !elements.isEmpty else { return try run(otherwise, dot: dot) }
        let outer = variables.count
        defer { variables.removeLast(variables.count - outer) }
        for (key, element) in elements {
            try step()
            let values = pipeline.variables.count == 2 ? [key, element] : [element]
            for (name, value) in zip(pipeline.variables, values) { variables.append((name, value)) }
            let flow = try run(body, dot: element)
            variables.removeLast(variables.count - outer)
            if flow == .leave { break }
        }
        return .on
    }

    private mutating func set(_ pipeline: TemplatePipeline, _ value: JSON?) {
        guard let name = pipeline.variables.first else { return }
        if pipeline.assigns, let index = variables.lastIndex(where: { $0.name == name }) {
            variables[index].value = value
        } else {
            variables.append((name, value))
        }
    }

    // MARK: Pipelines

    private mutating func evaluate(_ pipeline: TemplatePipeline, _ dot: JSON?) throws(TemplateProblem)
        -> JSON?
    {
        var value: JSON?
        for (index, command) in pipeline.commands.enumerated() {
            value = try evaluate(command, dot, last: index == 0 ? nil : .some(value))
        }
        return value
    }

    /// - Parameter last: What the command before in the pipeline gave.
    private mutating func evaluate(_ command: [TemplateOperand], _ dot: JSON?, last: JSON??)
        throws(TemplateProblem) -> JSON?
    {
        try step()
        let extra: [JSON?] = last.map { [$0] } ?? []
        guard case .function(let name) = command[0] else {
            if case .dot(["Label"]) = command[0], let labels {
                var arguments: [JSON?] = []
                for operand in command.dropFirst() { arguments.append(try self.value(operand, dot)) }
                arguments += extra
                guard arguments.count == 1, let key = arguments[0]?.string else {
                    throw TemplateProblem("write a label as '.Label \"name\"'")
                }
                return .string(labels(key))
            }
            guard command.count == 1, extra.isEmpty else {
                throw TemplateProblem("only a function takes arguments")
            }
            return try self.value(command[0], dot)
        }
        if name == "and" || name == "or" {
            // The rest is not looked at once the answer is known.
            var value: JSON?
            for operand in command.dropFirst() {
                value = try self.value(operand, dot)
                if TemplateFunctions.isTrue(value) == (name == "or") { return value }
            }
            return extra.first ?? value
        }
        var arguments: [JSON?] = []
        for operand in command.dropFirst() { arguments.append(try self.value(operand, dot)) }
        return try TemplateFunctions.call(name, arguments + extra)
    }

    private mutating func value(_ operand: TemplateOperand, _ dot: JSON?) throws(TemplateProblem) -> JSON? {
        switch operand {
        case .literal(let value): return value
        case .dot(let names): return try member(names, of: dot)
        case .variable(let name, let names):
            guard let variable = variables.last(where: { $0.name == name }) else {
                throw TemplateProblem("variable '$\(name)' is not set")
            }
            return try member(names, of: variable.value)
        case .group(let pipeline, let names): return try member(names, of: evaluate(pipeline, dot))
        case .function(let name): return try TemplateFunctions.call(name, [])
        }
    }

    private mutating func member(_ names: [String], of value: JSON?) throws(TemplateProblem) -> JSON? {
        var value = value
        for (index, name) in names.enumerated() {
            switch value {
            case .object(let object):
                guard let next = object[name] else {
                    let isOpen = index > 0 && Self.openObjects.contains(names[index - 1])
                    absent = isOpen ? nil : (Array(names[...index]), Array(object.keys))
                    return nil
                }
                value = next
            case .null, nil:
                absent = nil
                return nil
            default:
                throw TemplateProblem("\(TemplateFunctions.kind(value)) has no field '.\(name)'")
            }
        }
        return value
    }

    // MARK: Output

    private func printed(_ value: JSON?) throws(TemplateProblem) -> String {
        guard value == nil, isStrict, let absent, let name = absent.path.last else {
            return TemplateFunctions.text(value)
        }
        let nearest = Suggestion.nearest(to: name, in: absent.siblings).map { ", perhaps '.\($0)' is meant" }
        let list =
            absent.siblings.count <= 24
            ? "; there are " + absent.siblings.map { "." + $0 }.joined(separator: " ") : ""
        throw TemplateProblem(
            "there is no field '.\(absent.path.joined(separator: "."))'" + (nearest ?? list)
        )
    }

    private mutating func print(_ text: String) throws(TemplateProblem) {
        guard output.utf8.count + text.utf8.count <= Self.maximumOutput else {
            throw TemplateProblem("it prints more than \(Self.maximumOutput >> 20) MiB")
        }
        output += text
    }

    private mutating func step() throws(TemplateProblem) {
        steps += 1
        guard steps <= Self.maximumSteps else {
            throw TemplateProblem("it takes more than \(Self.maximumSteps) steps")
        }
    }
}
