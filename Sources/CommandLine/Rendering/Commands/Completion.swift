// SPDX-License-Identifier: Apache-2.0

/// What can stand at the end of a command line that is being typed. Pure: what only the engine knows is asked for.
package enum Completion: Hashable, Sendable {
    package struct Word: Hashable, Sendable {
        package let text: String
        package let help: String

        package init(_ text: String, _ help: String = "") {
            self.text = text
            self.help = help
        }
    }

    package enum Containers: Hashable, Sendable { case all, running, stopped, paused }

    /// Names that a gRPC server tells of itself.
    package enum RPCNames: Hashable, Sendable { case services, methods, symbols }

    case words([Word])
    case containers(Containers)
    case images
    case containersAndImages
    case rpc(RPCNames)
    /// The shell completes names of files.
    case files
    /// `CONTAINER:`, or names of files.
    case placesToCopy

    /// - Parameter words: What was typed behind the program's name; the last one, perhaps empty, is to be completed.
    package static func of(_ words: [String], in root: CommandDescription) -> Completion {
        guard let current = words.last else { return .words([]) }
        let typed = typed(before: words.dropLast(), in: root)
        let command = typed.path[typed.path.count - 1]
        if let option = typed.pendingOption { return values(of: option, typed.path, current) }
        if current.hasPrefix("-"), !typed.optionsAreOver {
            if current.hasPrefix("--"), let equals = current.firstIndex(of: "=") {
                let name = String(current[..<equals].dropFirst(2))
                let prefix = current[...equals]
                guard let option = command.option(long: name),
                    case .words(let values) = values(
                        of: option,
                        typed.path,
                        String(current[equals...].dropFirst())
                    )
                else { return .files }
                return .words(values.map { Word(prefix + $0.text, $0.help) })
            }
            return .words(matching(options(of: command), current))
        }
        if !command.subcommands.isEmpty {
            let shown = command.subcommands.filter { !$0.isHidden }
            var found = shown.map { Word($0.name, $0.abstract) }
            if typed.path.count == 1 { found.append(Word("help", "Show the help of a command.")) }
            return .words(matching(found, current))
        }
        return positional(command, typed.positionals)
    }

    // MARK: What was typed before

    private struct Typed {
        var path: [CommandDescription]
        var pendingOption: CommandDescription.Option?
        var positionals = 0
        var optionsAreOver = false
    }

    private static func typed(before words: ArraySlice<String>, in root: CommandDescription) -> Typed {
        var typed = Typed(path: [root])
        for word in words {
            let command = typed.path[typed.path.count - 1]
            if typed.pendingOption != nil {
                typed.pendingOption = nil
            } else if typed.optionsAreOver {
                typed.positionals += 1
            } else if word == "--" {
                typed.optionsAreOver = true
            } else if word.hasPrefix("--") {
                if !word.contains("=") {
                    typed.pendingOption = taking(command.option(long: String(word.dropFirst(2))))
                }
            } else if word.hasPrefix("-"), word.count > 1 {
                // The last letter of `-it` counts; what follows a letter with a value is that value.
                let letters = word.dropFirst().map(String.init)
                let taker = letters.firstIndex { taking(command.option(short: $0)) != nil }
                if let taker, taker == letters.count - 1 {
                    typed.pendingOption = command.option(short: letters[taker])
                }
            } else if let next = command.subcommands.first(where: { $0.name == word }) {
                typed.path.append(next)
            } else if command.subcommands.isEmpty {
                typed.positionals += 1
                if command.endsOptionsEarly { typed.optionsAreOver = true }
            }
        }
        return typed
    }

    private static func taking(_ option: CommandDescription.Option?) -> CommandDescription.Option? {
        option.flatMap { $0.valueName == nil ? nil : $0 }
    }

    private static func options(of command: CommandDescription) -> [Word] {
        command.options.filter { !$0.isHidden && $0.longs != ["version"] }.flatMap { option in
            option.longs.prefix(1).map { Word("--" + $0, option.help) }
                + option.shorts.map { Word("-" + $0, option.help) }
        }
    }

    static func matching(_ words: [Word], _ prefix: String) -> [Word] {
        words.filter { $0.text.hasPrefix(prefix) }
    }

    // MARK: Values

    /// Of options by their names, wherever they are.
    private static let known: [String: [String]] = [
        "restart": ["no", "always", "unless-stopped", "on-failure"],
        "pull": ["missing", "always", "never"],
        "signal": ["HUP", "INT", "QUIT", "KILL", "TERM", "USR1", "USR2", "WINCH", "STOP", "CONT"],
        "stop-signal": ["HUP", "INT", "QUIT", "KILL", "TERM", "USR1", "USR2"],
        "type": ["container", "image"],
        "network": ["none", "host", "bridge"],
        "log-driver": ["local", "none"],
        "daemon": ["engine", "runtime-supervisor", "image-store"],
    ]
    private static let fileOptions = ["env-file", "cidfile", "input", "output", "label-file", "file"]
    private static let filters: [String: [String]] = [
        "ps": [
            "ancestor=", "before=", "exited=", "health=", "id=", "label=", "name=", "network=", "since=",
            "status=",
            "volume=",
        ],
        "images": ["before=", "dangling=", "label=", "reference=", "since=", "until="],
        "events": ["container=", "daemon=", "event=", "image=", "label=", "type="],
        "prune": ["label=", "label!=", "until="],
    ]

    private static func values(
        of option: CommandDescription.Option,
        _ path: [CommandDescription],
        _ current: String
    ) -> Completion {
        guard let name = option.longs.first ?? option.shorts.first else { return .words([]) }
        let command = path.last?.name ?? ""
        var values = option.values
        if values.isEmpty { values = known[name] ?? [] }
        if name == "filter" {
            if current.hasPrefix("status=") {
                values = ["created", "running", "paused", "restarting", "removing", "exited", "dead"].map {
                    "status=" + $0
                }
            } else if current.hasPrefix("dangling=") {
                values = ["dangling=true", "dangling=false"]
            } else {
                values = filters[command] ?? []
            }
        }
        if name == "format" {
            let isList = ["ps", "images", "history", "stats", "df", "status", "check"].contains(command)
            values = isList ? ["table", "json"] : ["json"]
        }
        if name == "volumes-from" { return .containers(.all) }
        let isPath = fileOptions.contains(name) || ["file", "dir", "path"].contains(option.valueName ?? "")
        if values.isEmpty {
            return isPath || name == "volume" || name == "root" || name == "run" ? .files : .words([])
        }
        return .words(matching(values.map { Word($0) }, current))
    }

    private static let onRunning = [
        "stop", "kill", "exec", "attach", "top", "stats", "pause", "port", "wait", "update",
    ]

    private static func positional(_ command: CommandDescription, _ index: Int) -> Completion {
        guard let last = command.positionals.last else { return .words([]) }
        let isWithin = index < command.positionals.count
        let positional = isWithin ? command.positionals[index] : last
        guard isWithin || last.isRepeating, !positional.takesTheRest else { return .files }
        switch positional.name {
        case "container", "containers":
            if command.name == "start" { return .containers(.stopped) }
            if command.name == "unpause" { return .containers(.paused) }
            return .containers(onRunning.contains(command.name) ? .running : .all)
        case "image", "images", "source-image", "reference", "target-image": return .images
        case "object", "objects": return .containersAndImages
        case "source", "destination": return command.name == "cp" ? .placesToCopy : .files
        case "daemon", "daemons": return .words(["image-store", "supervisor", "engine"].map { Word($0) })
        case "service": return .rpc(.services)
        case "method": return .rpc(.methods)
        case "symbol": return .rpc(.symbols)
        case "json": return .words([])
        case "shell": return .words(["bash", "zsh", "fish"].map { Word($0) })
        default: return .files
        }
    }
}
