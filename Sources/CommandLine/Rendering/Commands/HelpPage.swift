// SPDX-License-Identifier: Apache-2.0

/// `--help` of a command: usage, what it does, its commands, its options in groups, an example; 80 columns at most.
package struct HelpPage: Sendable {
    private static let width = 80
    /// Options with longer names have their text on the next line.
    private static let nameWidth = 27
    /// What people look for first.
    private static let common = [
        "run", "exec", "ps", "build", "pull", "push", "images", "login", "logout", "search", "version",
        "info",
    ]

    private let path: [CommandDescription]

    /// - Parameter path: From the program to the command; not empty.
    package init(_ path: [CommandDescription]) { self.path = path }

    package var lines: [String] {
        guard let command = path.last else { return [] }
        var lines = ["Usage:  " + Self.usage(path), ""]
        lines += Wrapping.lines(command.abstract, width: Self.width)
        if !command.description.isEmpty {
            lines += [""] + Wrapping.paragraphs(command.description, width: Self.width)
        }
        lines += Self.commands(command, isRoot: path.count == 1)
        let described = command.positionals.filter { !$0.help.isEmpty && !$0.takesTheRest }
        if !described.isEmpty, command.subcommands.isEmpty {
            lines +=
                ["", "Arguments:"]
                + Self.entries(described.map { ($0.name.uppercased(), $0.help) })
        }
        for group in OptionGroups.groups(of: command, isRoot: path.count == 1) {
            lines +=
                ["", group.title + ":"]
                + Self.entries(group.options.map { ($0.spelling, Self.text(of: $0)) })
        }
        if !command.example.isEmpty {
            lines +=
                ["", command.example.count > 1 ? "Examples:" : "Example:"] + command.example.map { "  " + $0 }
        }
        if !command.subcommands.isEmpty {
            let name = path.map(\.name).joined(separator: " ")
            lines += ["", "Run '\(name) COMMAND --help' for more information on a command."]
        }
        return lines
    }

    /// `petrel run [OPTIONS] IMAGE [COMMAND] [ARG...]`.
    /// `prog ps [OPTIONS]`.
    package static func usage(_ path: [CommandDescription]) -> String {
        guard let command = path.last else { return "" }
        var words = path.map(\.name)
        if command.options.contains(where: { !$0.isHidden && !$0.isGlobal }) || path.count == 1 {
            words.append("[OPTIONS]")
        }
        if command.subcommands.isEmpty {
            words += command.positionals.map(\.usage)
        } else {
            words.append("COMMAND")
        }
        return words.joined(separator: " ")
    }

    static func text(of option: CommandDescription.Option) -> String {
        guard !option.defaultValue.isEmpty, option.valueName != nil, !option.help.contains("(default") else {
            return option.help
        }
        return option.help + " (default \"\(option.defaultValue)\")"
    }

    private static func commands(_ command: CommandDescription, isRoot: Bool) -> [String] {
        let shown = command.subcommands.filter { !$0.isHidden }
        guard !shown.isEmpty else { return [] }
        let sorted = shown.sorted { $0.name < $1.name }
        var groups = [("Commands", sorted)]
        if isRoot {
            groups = [
                ("Common commands", common.compactMap { name in shown.first { $0.name == name } }),
                ("Management commands", sorted.filter { !$0.subcommands.isEmpty }),
                ("Commands", sorted.filter { $0.subcommands.isEmpty && !common.contains($0.name) }),
            ]
        }
        let width = (shown.map(\.name.count).max() ?? 0) + 2
        return groups.filter { !$0.1.isEmpty }.flatMap { title, commands in
            ["", title + ":"] + entries(commands.map { ($0.name, $0.abstract) }, nameWidth: width)
        }
    }

    /// Two columns, the second one wrapped.
    private static func entries(_ entries: [(String, String)], nameWidth: Int? = nil) -> [String] {
        let longest = entries.map(\.0.count).filter { $0 <= Self.nameWidth }.max() ?? 0
        let column = 2 + (nameWidth ?? longest + 2)
        let space = String(repeating: " ", count: column)
        return entries.flatMap { name, text -> [String] in
            let texts = Wrapping.lines(text, width: width - column)
            let head = "  " + name
            guard head.count + 1 < column else { return [head] + texts.map { space + $0 } }
            let first = head + String(repeating: " ", count: column - head.count) + (texts.first ?? "")
            return [first] + texts.dropFirst().map { space + $0 }
        }
    }
}

/// Options of a command in groups of their kind.
enum OptionGroups {
    struct Group {
        let title: String
        let options: [CommandDescription.Option]
    }

    /// Fewer options than this are one group.
    private static let enough = 20

    /// For commands with many options that do not say their groups themselves.
    private static let kinds: [(title: String, prefixes: [String])] = [
        (
            "Process",
            [
                "entrypoint", "env", "workdir", "user", "interactive", "tty", "attach", "detach", "init",
                "stop-",
                "sig-proxy", "group-add",
            ]
        ),
        (
            "Resources",
            [
                "memory", "cpu", "cpus", "cpuset", "pids-limit", "pids", "blkio", "device-read",
                "device-write", "ulimit", "shm-size",
                "oom-", "kernel-memory", "cgroup", "gpus", "io-max",
            ]
        ),
        (
            "Network",
            [
                "network", "net", "publish", "expose", "dns", "add-host", "hostname", "domainname", "ip",
                "link",
                "mac-address",
            ]
        ),
        ("Files", ["volume", "mount", "tmpfs", "read-only", "storage-opt"]),
        (
            "Security",
            [
                "cap-", "privileged", "security-opt", "userns", "uts", "device", "ipc", "pid", "sysctl",
                "disable-content-trust",
            ]
        ),
        ("Health", ["health-", "no-healthcheck"]),
        ("Labels and logs", ["label", "annotation", "log-"]),
    ]

    /// - Parameter isRoot: The program itself, which alone shows `--version`.
    static func groups(of command: CommandDescription, isRoot: Bool) -> [Group] {
        let shown = command.options.filter { !$0.isHidden && (isRoot || $0.longs != ["version"]) }
        let own = shown.filter { !$0.isGlobal }
        var groups: [Group] = []
        let titled = own.filter { !$0.section.isEmpty }
        let plain = own.filter { $0.section.isEmpty }
        var rest = plain
        var kindGroups: [Group] = []
        if plain.count > enough {
            for kind in kinds {
                let members = rest.filter { option in isOf(option, kind.prefixes) }
                rest.removeAll { members.contains($0) }
                if !members.isEmpty { kindGroups.append(Group(title: kind.title, options: sorted(members))) }
            }
        }
        if !rest.isEmpty { groups.append(Group(title: "Options", options: sorted(rest))) }
        groups += kindGroups
        var titles: [String] = []
        for option in titled where !titles.contains(option.section) { titles.append(option.section) }
        for title in titles {
            groups.append(Group(title: title, options: sorted(titled.filter { $0.section == title })))
        }
        let global = shown.filter(\.isGlobal)
        if !global.isEmpty { groups.append(Group(title: "Global options", options: global)) }
        return groups
    }

    private static func isOf(_ option: CommandDescription.Option, _ prefixes: [String]) -> Bool {
        guard let name = option.longs.first else { return false }
        return prefixes.contains { prefix in
            prefix.hasSuffix("-") ? name.hasPrefix(prefix) : name == prefix || name.hasPrefix(prefix + "-")
        }
    }

    private static func sorted(_ options: [CommandDescription.Option]) -> [CommandDescription.Option] {
        options.sorted {
            ($0.longs.first ?? $0.shorts.first ?? "") < ($1.longs.first ?? $1.shorts.first ?? "")
        }
    }
}

/// Text in lines of a width.
enum Wrapping {
    static func lines(_ text: String, width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        return line.isEmpty ? lines : lines + [line]
    }

    /// Lines that are indented stay as they are.
    static func paragraphs(_ text: String, width: Int) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).flatMap { line -> [String] in
            line.isEmpty || line.hasPrefix(" ") ? [String(line)] : lines(String(line), width: width)
        }
    }
}
