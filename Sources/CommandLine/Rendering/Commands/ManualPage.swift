// SPDX-License-Identifier: Apache-2.0

/// A command's manual page in the macros of man(7).
package struct ManualPage: Sendable {
    private let path: [CommandDescription]
    private let release: String

    package init(_ path: [CommandDescription], release: String) {
        self.path = path
        self.release = release
    }

    /// `petrel-system-start`.
    package var name: String { path.map(\.name).joined(separator: "-") }

    package var text: String {
        guard let command = path.last else { return "" }
        var lines = [
            ".\\\" SPDX-License-Identifier: Apache-2.0",
            ".TH \"\(name.uppercased())\" \"1\" \"\" \"Petrel \(release)\" \"User Commands\"",
            ".SH NAME",
            "\(Self.escaped(name)) \\- \(Self.escaped(Self.lowerFirst(command.abstract)))",
            ".SH SYNOPSIS",
            ".B " + path.map { Self.escaped($0.name) }.joined(separator: " "),
            Self.escaped(
                HelpPage.usage(path).split(separator: " ").dropFirst(path.count).joined(separator: " ")
            ),
            ".SH DESCRIPTION",
        ]
        lines += Self.paragraphs(command.abstract)
        if !command.description.isEmpty { lines += [".PP"] + Self.paragraphs(command.description) }
        lines += subcommands(command)
        let groups = OptionGroups.groups(of: command, isRoot: path.count == 1)
        if !groups.isEmpty { lines.append(".SH OPTIONS") }
        for group in groups {
            if groups.count > 1 { lines.append(".SS \"\(Self.escaped(group.title))\"") }
            for option in group.options {
                lines += [".TP", Self.heading(option)] + Self.paragraphs(HelpPage.text(of: option))
            }
        }
        if !command.example.isEmpty {
            lines += [".SH EXAMPLES", ".nf"] + command.example.map(Self.line) + [".fi"]
        }
        lines += [".SH \"SEE ALSO\""] + seeAlso(command)
        return lines.filter { !$0.isEmpty }.joined(separator: "\n") + "\n"
    }

    private func subcommands(_ command: CommandDescription) -> [String] {
        let shown = command.subcommands.filter { !$0.isHidden }.sorted { $0.name < $1.name }
        guard !shown.isEmpty else { return [] }
        return [".SH COMMANDS"]
            + shown.flatMap { [".TP", ".B " + Self.escaped($0.name)] + Self.paragraphs($0.abstract) }
    }

    private func seeAlso(_ command: CommandDescription) -> [String] {
        var names: [String] = path.count > 1 ? [path.dropLast().map(\.name).joined(separator: "-")] : []
        names += command.subcommands.filter { !$0.isHidden }.map { "\(name)-\($0.name)" }.sorted()
        if names.isEmpty { names = ["petrel"] }
        return names.enumerated().map { index, name in
            ".BR \(Self.escaped(name)) (1)" + (index < names.count - 1 ? "," : "")
        }
    }

    private static func heading(_ option: CommandDescription.Option) -> String {
        let names = (option.shorts.map { "-" + $0 } + option.longs.map { "--" + $0 }).map {
            "\\fB\(escaped($0))\\fR"
        }
        let value = option.valueName.map { " \\fI\(escaped($0))\\fR" } ?? ""
        return names.joined(separator: ", ") + value
    }

    private static func paragraphs(_ text: String) -> [String] {
        text.split(separator: "\n").map { line(String($0)) }
    }

    /// A line that begins with a point or an apostrophe would be a macro.
    private static func line(_ text: String) -> String {
        let escaped = escaped(text)
        return escaped.hasPrefix(".") || escaped.hasPrefix("'") ? "\\&" + escaped : escaped
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\e").replacing("-", with: "\\-").replacing("'", with: "\\(aq")
    }

    private static func lowerFirst(_ text: String) -> String {
        let text = text.hasSuffix(".") ? String(text.dropLast()) : text
        return text.prefix(1).lowercased() + text.dropFirst()
    }
}
