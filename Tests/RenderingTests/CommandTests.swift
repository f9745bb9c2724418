// SPDX-License-Identifier: Apache-2.0
import JSON
import Rendering
import Testing

/// What the argument parser says of a small program.
private let dump: JSON = {
    func option(_ kind: String, _ names: [(String, String)], _ help: String, value: String? = nil) -> JSON {
        var object: JSON.Object = [
            "kind": .string(kind), "shouldDisplay": true, "abstract": .string(help),
            "names": .array(names.map { ["kind": .string($0.0), "name": .string($0.1)] }),
            "preferredName": [
                "kind": .string(names[names.count - 1].0), "name": .string(names[names.count - 1].1),
            ],
            "parsingStrategy": "default", "isOptional": true, "isRepeating": false,
        ]
        if let value { object["valueName"] = .string(value) }
        return .object(object)
    }
    func positional(_ name: String, optional: Bool = false, repeating: Bool = false, rest: Bool = false)
        -> JSON
    {
        [
            "kind": "positional", "valueName": .string(name), "isOptional": .bool(optional),
            "isRepeating": .bool(repeating), "shouldDisplay": true, "abstract": "What it is about.",
            "parsingStrategy": rest ? "allRemainingInput" : "default",
        ]
    }
    let help = option("flag", [("short", "h"), ("long", "help")], "Show help.")
    let ps: JSON = [
        "commandName": "ps", "abstract": "List containers.",
        "discussion": "More about it.\n\nEXAMPLE:\n  prog ps -a\n  prog ps -q", "shouldDisplay": true,
        "arguments": [
            option("flag", [("short", "a"), ("long", "all")], "All."),
            option("option", [("short", "f"), ("long", "filter")], "Only some.", value: "key=value"),
            option("option", [("long", "format")], "How.", value: "format"), help,
        ],
    ]
    let run: JSON = [
        "commandName": "run", "abstract": "Run a program.", "discussion": "EXAMPLE:\n  prog run x",
        "shouldDisplay": true,
        "arguments": [
            option("flag", [("short", "i"), ("long", "interactive")], "Input."),
            option("flag", [("long", "rm")], "Remove."),
            option("flag", [("long", "sig-proxy")], "On by itself."),
            option("flag", [("long", "no-sig-proxy")], "Off."),
            option("option", [("short", "n"), ("long", "name")], "Name.", value: "name"),
            option("option", [("long", "restart")], "Policy.", value: "restart"), help,
            positional("image"), positional("command", optional: true, repeating: true, rest: true),
        ],
    ]
    let stop: JSON = [
        "commandName": "stop", "abstract": "Stop containers.", "shouldDisplay": true,
        "arguments": [help, positional("containers", repeating: true)],
    ]
    let hidden: JSON = ["commandName": "__complete", "shouldDisplay": false]
    let group: JSON = ["commandName": "container", "abstract": "All of them.", "subcommands": [ps, stop]]
    let call: JSON = [
        "commandName": "call", "abstract": "Call a method.", "shouldDisplay": true,
        "arguments": [
            option("option", [("long", "daemon")], "Which.", value: "name"), help, positional("method"),
            positional("json", optional: true),
        ],
    ]
    let list: JSON = [
        "commandName": "list", "abstract": "List.", "arguments": [positional("service", optional: true)],
    ]
    let describe: JSON = [
        "commandName": "describe", "abstract": "Show.", "arguments": [positional("symbol")],
    ]
    let rpc: JSON = ["commandName": "rpc", "abstract": "By hand.", "subcommands": [call, list, describe]]
    return [
        "command": [
            "commandName": "prog", "abstract": "A program.", "shouldDisplay": true, "arguments": [help],
            "subcommands": [ps, run, stop, hidden, group, rpc],
        ]
    ]
}()

private func root() throws -> CommandDescription { try #require(CommandDescription(dump: dump)) }

@Suite struct HelpPageTests {
    @Test func aCommandsPageHasUsageOptionsAndExamples() throws {
        let lines = HelpPage(try root().path(of: ["ps"])).lines
        #expect(lines.first == "Usage:  prog ps [OPTIONS]")
        #expect(lines.contains("  -a, --all               All."))
        #expect(lines.contains("  -f, --filter KEY=VALUE  Only some."))
        #expect(lines.contains("      --format FORMAT     How."))
        #expect(
            lines.contains("Global options:") && lines.contains("Examples:") && lines.contains("  prog ps -a")
        )
    }

    @Test func usageNamesWhatIsWanted() throws {
        #expect(
            HelpPage(try root().path(of: ["run"])).lines[0]
                == "Usage:  prog run [OPTIONS] IMAGE [COMMAND] [ARG...]"
        )
        #expect(
            HelpPage(try root().path(of: ["stop"])).lines[0] == "Usage:  prog stop CONTAINER [CONTAINER...]"
        )
        let lines = HelpPage(try root().path(of: [])).lines
        #expect(lines[0] == "Usage:  prog [OPTIONS] COMMAND")
        #expect(lines.contains("Common commands:") && lines.contains("Management commands:"))
        #expect(!lines.contains { $0.contains("__complete") })
    }

    @Test func manualPagesAreSafeMacros() throws {
        let page = ManualPage(try root().path(of: ["ps"]), release: "1.0")
        #expect(page.name == "prog-ps")
        let lines = page.text.split(separator: "\n").map(String.init)
        #expect(lines.contains("prog\\-ps \\- list containers"))
        #expect(lines.contains("\\fB\\-f\\fR, \\fB\\-\\-filter\\fR \\fIkey=value\\fR"))
        let macros = [".TH", ".SH", ".SS", ".TP", ".PP", ".B ", ".BR", ".nf", ".fi", ".\\\""]
        #expect(lines.allSatisfy { line in !line.hasPrefix(".") || macros.contains { line.hasPrefix($0) } })
    }
}

@Suite struct PlainWordsTests {
    private func rewritten(_ words: [String], of name: String = "run") throws -> [String] {
        PlainWords(words, of: try #require(try root().path(of: [name]).last)).words
    }

    @Test(arguments: [
        ("run", ["-nA=b", "x"], ["-n", "A=b", "x"]), ("run", ["-inA=b", "x"], ["-in", "A=b", "x"]),
        ("run", ["--name", "-nA=b", "-nC=d", "x"], ["--name", "-nA=b", "-n", "C=d", "x"]),
        ("run", ["--rm", "-nA=-b=c", "x"], ["--rm", "-n", "A=-b=c", "x"]),
        ("ps", ["-fname=web", "-a"], ["-f", "name=web", "-a"]),
        ("run", ["--name=", "--restart=", "x"], ["--name", "", "--restart", "", "x"]),
        ("run", ["-n=", "-ntrue=true", "x", "--name="], ["-n", "", "-n", "true=true", "x", "--name="]),
        ("run", ["--rm=true", "-i=1", "x"], ["--rm", "-i", "x"]),
        ("run", ["--rm=false", "--sig-proxy=false", "-i=F", "x"], ["--no-sig-proxy", "x"]),
        ("ps", ["-aa=true", "-aa=false", "--all=0"], ["-aa", "-a"]),
        (
            "run", ["-in3", "-nAb", "-n=A=b", "-né", "x"],
            ["-in", "3", "-n", "Ab", "-n", "A=b", "-n", "é", "x"]
        ),
        ("ps", ["-af=name=b", "-af", "name=c"], ["-af", "name=b", "-af", "name=c"]),
    ])
    func whatTheParserDoesNotTakeIsSaidOtherwise(
        _ name: String,
        _ words: [String],
        _ expected: [String]
    ) throws {
        #expect(try rewritten(words, of: name) == expected)
        #expect(PlainWords.mayDiffer(from: words))
    }

    @Test(arguments: [
        ["x", "-nA=b"], ["--", "-nA=b"], ["-n", "-nA=b", "x"], ["-it", "-n", "x"],
        ["--name=A=b", "x"], ["-iA=b", "x"], ["-n"], ["-"], ["x", "y", "-nA=b"], ["-iz", "x"],
        ["--rm=", "x"], ["-i=", "x"], ["--unknown=", "x"], ["--rm=maybe", "x"], ["--name=true", "x"],
        ["--restart", "x=true", "b", "--rm=true"], ["--", "---", "x"],
    ])
    func whatItTakesIsLeftAlone(_ words: [String]) throws {
        #expect(try rewritten(words) == words)
    }

    /// Also where the program has a `--` of its own.
    @Test(arguments: [
        (["x", "echo", "---"], ["x", "echo", "--", "---"], 1),
        (["--rm", "x", "---a", "--", "---b"], ["--rm", "x", "--", "---a", "--", "---b"], 0),
        (["x", "a", "--", "---b"], ["x", "a", "--", "--", "---b"], 2),
    ])
    func wordsOfThreeDashesAreTheProgramsOwn(_ words: [String], _ expected: [String], _ place: Int) throws {
        let plain = PlainWords(words, of: try #require(try root().path(of: ["run"]).last))
        #expect(plain.words == expected && plain.terminator == place)
        #expect(PlainWords.mayDiffer(from: words))
    }

    @Test(arguments: [["-i", "x", "y", "-Da=b"], ["--rm", "x", "z", "--y=true"], ["-n", "x", "y", "--z="]])
    func whatFollowsTwoPlainWordsIsNotLookedAt(_ words: [String]) {
        #expect(!PlainWords.mayDiffer(from: words))
        #expect(PlainWords.mayDiffer(from: ["-n", "x", "-na=b"]))
    }
}

@Suite struct FlagCheckTests {
    @Test(arguments: [
        ("ps", ["--al"], "unknown flag: --al", "--all"),
        ("run", ["--naem", "x", "busybox"], "unknown flag: --naem", "--name"),
        ("run", ["--naem=x", "busybox"], "unknown flag: --naem", "--name"),
        ("ps", ["-A"], "unknown shorthand flag: 'A' in -A", "-a"),
        ("ps", ["-aq"], "unknown shorthand flag: 'q' in -aq", ""),
        ("run", ["-name", "x"], "unknown shorthand flag: 'm' in -name", "--name"),
        ("ps", ["-format", "x"], "unknown shorthand flag: 'z' in -z", ""),
        ("ps", ["--a"], "unknown flag: --a", "-a"),
    ])
    func unknownOptionsAreFound(_ name: String, _ words: [String], _ why: String, _ meant: String) throws {
        let command = try #require(try root().path(of: [name]).last)
        guard words != ["-format", "x"], words != ["-name", "x"] else {
            // `-f ormat` and `-n ame` are options with values.
            #expect(FlagCheck.unknown(words, of: command) == nil)
            return
        }
        let found = try #require(FlagCheck.unknown(words, of: command))
        #expect(found.why == why)
        #expect(meant.isEmpty ? found.advice.isEmpty : found.advice == "Did you mean \(meant)? ")
    }

    @Test func whatIsTheContainersIsNotLookedAt() throws {
        let command = try #require(try root().path(of: ["run"]).last)
        #expect(FlagCheck.unknown(["--rm", "busybox", "ls", "--nonsense"], of: command) == nil)
        #expect(FlagCheck.unknown(["--name", "--nonsense", "busybox"], of: command) == nil)
        #expect(FlagCheck.unknown(["--", "--nonsense"], of: command) == nil)
    }

    @Test(arguments: [("true", true), ("1", true), ("False", false), ("f", false), ("yes", nil), ("", nil)])
    func optionsMayBeTrueOrFalse(text: String, isOn: Bool?) {
        #expect((try? BooleanFlag.isOn(text, option: "--sig-proxy")) == isOn)
    }
}

@Suite struct CompletionTests {
    private func complete(_ words: String...) throws -> Completion { Completion.of(words, in: try root()) }

    private func words(_ completion: Completion) -> [String] {
        guard case .words(let words) = completion else { return [] }
        return words.map(\.text)
    }

    @Test func commandsAndOptionsComplete() throws {
        #expect(words(try complete("")) == ["ps", "run", "stop", "container", "rpc", "help"])
        #expect(words(try complete("ru")) == ["run"])
        #expect(words(try complete("container", "")) == ["ps", "stop"])
        #expect(words(try complete("ps", "--f")) == ["--filter", "--format"])
        #expect(words(try complete("ps", "-")).contains("-a"))
        #expect(words(try complete("__")) == [])
    }

    @Test func valuesComplete() throws {
        #expect(
            words(try complete("run", "--restart", "")) == ["no", "always", "unless-stopped", "on-failure"]
        )
        #expect(words(try complete("run", "--restart=al")) == ["--restart=always"])
        #expect(words(try complete("ps", "-f", "st")) == ["status="])
        #expect(words(try complete("ps", "-f", "status=ex")) == ["status=exited"])
        #expect(words(try complete("ps", "--format", "")) == ["table", "json"])
    }

    @Test func objectsAreTheEnginesToKnow() throws {
        #expect(try complete("stop", "") == .containers(.running))
        #expect(try complete("stop", "web", "") == .containers(.running))
        #expect(try complete("run", "") == .images)
        #expect(try complete("run", "-i", "--name", "x", "") == .images)
        #expect(try complete("run", "busybox", "") == .files)
        #expect(try complete("run", "busybox", "ls", "-") == .files)
    }

    @Test func whatServersTellIsTheirsToKnow() throws {
        #expect(try complete("rpc", "list", "") == .rpc(.services))
        #expect(try complete("rpc", "describe", "x") == .rpc(.symbols))
        #expect(try complete("rpc", "call", "--daemon", "engine", "") == .rpc(.methods))
        #expect(words(try complete("rpc", "call", "--daemon", "run")) == ["runtime-supervisor"])
        // The shell has nothing to say about JSON.
        #expect(try complete("rpc", "call", "a.B/C", "") == .words([]))
    }

    @Test func everyShellHasAScript() {
        #expect(
            CompletionScript.shells.allSatisfy {
                CompletionScript.text(for: $0)?.contains("__complete") == true
            }
        )
        #expect(CompletionScript.text(for: "csh") == nil)
    }
}

@Suite struct CheckReportTests {
    @Test func reportsOfChecksWrap() {
        let report = CheckReport([
            .init(
                name: "disk",
                state: "limited",
                detail: "tmpfs",
                consequence: "Images are gone after a reboot."
            ),
            .init(name: "kernel", state: "ok", detail: "6.1", consequence: ""),
        ])
        #expect(
            report.lines(width: nil, isColoured: false) == [
                "limited  disk    tmpfs. Images are gone after a reboot.", "ok       kernel  6.1",
            ]
        )
        let narrow = report.lines(width: 40, isColoured: true)
        #expect(narrow[0] == "\u{1b}[33mlimited  \u{1b}[0mdisk    tmpfs")
        #expect(narrow[1] == "                 Images are gone after a")
    }
}
