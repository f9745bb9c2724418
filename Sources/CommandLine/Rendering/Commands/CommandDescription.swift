// SPDX-License-Identifier: Apache-2.0
package import JSON

/// A command as the argument parser knows it: the one source of help, manual pages, completion and suggestions.
package struct CommandDescription: Hashable, Sendable {
    package struct Option: Hashable, Sendable {
        /// `a` for `-a`.
        package let shorts: [String]
        /// `all` for `--all`; the first is the one that is shown.
        package let longs: [String]
        /// Nil for a flag.
        package let valueName: String?
        package let help: String
        package let defaultValue: String
        package let section: String
        package let isHidden: Bool
        package let isRepeating: Bool
        /// Those that the parser knows by itself.
        package let values: [String]
    }

    package struct Positional: Hashable, Sendable {
        package let name: String
        package let help: String
        package let isOptional: Bool
        package let isRepeating: Bool
        /// Everything from here on is the container's, options too.
        package let takesTheRest: Bool
    }

    package let name: String
    package let abstract: String
    package let description: String
    /// Lines.
    package let example: [String]
    package let isHidden: Bool
    package let subcommands: [CommandDescription]
    package let options: [Option]
    package let positionals: [Positional]

    /// - Parameter dump: What the argument parser's `_dumpHelp` gives.
    /// - Returns: nil when it is nothing like that.
    package init?(dump: JSON) {
        guard let command = dump["command"], command["commandName"]?.string != nil else { return nil }
        self.init(command)
    }

    private init(_ json: JSON) {
        name = json["commandName"]?.string ?? ""
        abstract = json["abstract"]?.string ?? ""
        let discussion = (json["discussion"]?.string ?? "").split(
            separator: "\n",
            omittingEmptySubsequences: false
        ).map(String.init)
        let exampleStart = discussion.firstIndex { $0.hasPrefix("EXAMPLE") } ?? discussion.count
        description = discussion[..<exampleStart].joined(separator: "\n").trimmingBlanks
        example = discussion[exampleStart...].dropFirst().map { String($0.drop { $0 == " " }) }.filter {
            !$0.isEmpty
        }
        isHidden = json["shouldDisplay"]?.bool == false
        subcommands = (json["subcommands"]?.array ?? []).map { CommandDescription($0) }.filter {
            $0.name != "help"
        }
        let arguments = json["arguments"]?.array ?? []
        options = arguments.filter { $0["kind"]?.string != "positional" }.map(Option.init)
        positionals = arguments.filter { $0["kind"]?.string == "positional" }.map(Positional.init)
    }

    /// The command that words name, and the way to it from this one: as far as words are subcommands.
    package func path(of words: [String]) -> [CommandDescription] {
        var path = [self]
        for word in words {
            guard let next = path[path.count - 1].subcommands.first(where: { $0.name == word }) else { break }
            path.append(next)
        }
        return path
    }

    package func option(short: String) -> Option? { options.first { $0.shorts.contains(short) } }
    package func option(long: String) -> Option? { options.first { $0.longs.contains(long) } }

    /// Whether options end with the first word that is none.
    var endsOptionsEarly: Bool { positionals.contains(where: \.takesTheRest) }
}

extension CommandDescription.Option {
    init(_ json: JSON) {
        let all = json["names"]?.array ?? []
        func names(_ kind: String) -> [String] {
            all.filter { $0["kind"]?.string == kind }.compactMap { $0["name"]?.string }
        }
        shorts = names("short")
        let preferred = json["preferredName"].flatMap {
            $0["kind"]?.string == "long" ? $0["name"]?.string : nil
        }
        let longs = names("long")
        self.longs = longs.filter { $0 == preferred } + longs.filter { $0 != preferred }
        valueName = json["kind"]?.string == "flag" ? nil : json["valueName"]?.string ?? "value"
        help = json["abstract"]?.string ?? ""
        defaultValue = json["defaultValue"]?.string ?? ""
        section = json["sectionTitle"]?.string ?? ""
        isHidden = json["shouldDisplay"]?.bool == false
        isRepeating = json["isRepeating"]?.bool ?? false
        values = (json["allValues"]?.array ?? []).compactMap(\.string)
    }

    /// `--root`, `--run`, `--help`, `--version`: the same everywhere.
    var isGlobal: Bool { longs.contains { ["root", "run", "help", "version"].contains($0) } }

    /// `-f, --filter FILTER`.
    var spelling: String {
        let shorts = shorts.map { "-" + $0 }
        let names = (shorts + longs.prefix(1).map { "--" + $0 }).joined(separator: ", ")
        return (shorts.isEmpty ? "    " : "") + names + (valueName.map { " " + $0.uppercased() } ?? "")
    }
}

extension CommandDescription.Positional {
    init(_ json: JSON) {
        name = json["valueName"]?.string ?? ""
        help = json["abstract"]?.string ?? ""
        isOptional = json["isOptional"]?.bool ?? false
        isRepeating = json["isRepeating"]?.bool ?? false
        takesTheRest = ["allRemainingInput", "allUnrecognized", "captureForPassthrough"].contains(
            json["parsingStrategy"]?.string ?? ""
        )
    }

    /// `CONTAINER...`, `[COMMAND] [ARG...]`.
    var usage: String {
        if takesTheRest { return isOptional ? "[COMMAND] [ARG...]" : "COMMAND [ARG...]" }
        let singular = isRepeating && name.hasSuffix("s") ? String(name.dropLast()) : name
        let text = singular.uppercased()
        let shown = isRepeating ? "\(text) [\(text)...]" : text
        return isOptional ? "[\(isRepeating ? text + "..." : text)]" : shown
    }
}

extension String {
    /// Without blank lines and spaces at either end.
    var trimmingBlanks: String {
        let front = drop { $0.isWhitespace }
        return String(front.reversed().drop { $0.isWhitespace }.reversed())
    }
}
