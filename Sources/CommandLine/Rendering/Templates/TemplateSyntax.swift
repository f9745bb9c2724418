// SPDX-License-Identifier: Apache-2.0
internal import JSON

/// A template taken apart: text, and what stands between `{{` and `}}`.
indirect enum TemplateNode: Sendable {
    case text(String)
    /// Printed, unless it only sets variables.
    case action(TemplatePipeline)
    case condition(TemplatePipeline, then: [TemplateNode], otherwise: [TemplateNode])
    case with(TemplatePipeline, body: [TemplateNode], otherwise: [TemplateNode])
    case range(TemplatePipeline, body: [TemplateNode], otherwise: [TemplateNode])
    case leave
    case next
}

/// Commands joined by `|`; the value of each is the next one's last argument.
struct TemplatePipeline: Sendable {
    /// `$x :=`, or `$i, $x :=` of a range.
    var variables: [String] = []
    /// `=` instead of `:=`.
    var assigns = false
    var commands: [[TemplateOperand]] = []
    /// As written, for messages.
    var source = ""
}

/// One word of a command.
indirect enum TemplateOperand: Sendable {
    /// `.` and `.A.B`.
    case dot([String])
    /// `$` and `$x.A`.
    case variable(String, [String])
    case literal(JSON)
    case function(String)
    /// `(…)` and `(…).A`.
    case group(TemplatePipeline, [String])
}

/// One word or sign within an action.
enum TemplateToken: Hashable, Sendable {
    case word(String)
    /// `.A.B` without the first point; empty for `.`.
    case field([String])
    /// Right behind a closing bracket.
    case chained([String])
    case variable(String, [String])
    case string(String)
    case integer(Int64)
    case double(Double)
    case pipe, open, close, comma, declare, assign
}

/// Why a template is not understood, before it is known which one it is.
struct TemplateProblem: Error {
    let why: String

    init(_ why: String) { self.why = why }
}
