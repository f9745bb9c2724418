// SPDX-License-Identifier: Apache-2.0
import Foundation
import Rendering
import Testing
import TestSupport

/// Help, manual pages, mistakes in typing, and the page that compares with Docker's command line.
struct CommandLineTests {
    private func petrel(_ arguments: String...) throws -> Outcome { try run(binaries + "/petrel", arguments) }

    /// Every visible command, as words.
    private func commands() throws -> [[String]] {
        func visit(_ command: Document, _ path: [String]) -> [[String]] {
            guard command["shouldDisplay"].bool != false else { return [] }
            let children = command["subcommands"].array ?? []
            return [path]
                + children.flatMap { child -> [[String]] in
                    guard let name = child["commandName"].string, name != "help" else { return [] }
                    return visit(child, path + [name])
                }
        }
        return visit(try Document(petrel("--experimental-dump-help").stdout)["command"], [])
    }

    @Test func aFullOutputIsSaid() throws {
        let outcome = try run("/bin/sh", ["-c", "'\(binaries)/petrel' completion bash >/dev/full; echo $?"])
        #expect(outcome.lines == ["1"], "\(outcome)")
        #expect(outcome.stderr.contains("standard output: write: ENOSPC"), "\(outcome)")
    }

    /// What `run` and `exec` are asked by most, they read in a shorter way.
    @Test(arguments: [("run", UsualWords.run), ("exec", UsualWords.exec), ("ps", UsualWords.ps)])
    func theUsualOptionsAreTheCommands(_ command: String, _ usual: UsualWords.Table) throws {
        let commands = try Document(petrel("--experimental-dump-help").stdout)["command"]["subcommands"].array
        let found = try #require(commands?.first { $0["commandName"].string == command })
        var kinds: [String: String] = [:]
        for argument in found["arguments"].array ?? [] {
            for name in argument["names"].array ?? [] {
                kinds[name["name"].string ?? ""] = argument["kind"].string
            }
        }
        for name in usual.flags { #expect(kinds[name] == "flag", "\(name)") }
        for name in usual.valued { #expect(kinds[name] == "option", "\(name)") }
    }

    @Test func everyCommandHasHelpThatFitsATerminal() throws {
        let commands = try commands()
        #expect(commands.count > 40)
        for command in commands {
            let outcome = try run(binaries + "/petrel", command + ["--help"])
            #expect(outcome.status == 0 && outcome.stderr.isEmpty, "\(outcome)")
            #expect(outcome.stdout.hasPrefix("Usage:  petrel"), "\(outcome)")
            #expect(outcome.stdout.contains("\nExample"), "\(outcome)")
            #expect(outcome.lines.allSatisfy { $0.count <= 80 || $0.hasPrefix("  petrel") }, "\(outcome)")
            let other = try run(binaries + "/petrel", ["help"] + command)
            #expect(other.stdout == outcome.stdout, "\(other)")
        }
        #expect(try petrel().stdout == petrel("--help").stdout)
        for group in ["container", "image", "system", "rpc"] {
            let alone = try run(binaries + "/petrel", [group])
            #expect(alone.status == 0 && alone.stderr.isEmpty, "\(alone)")
            #expect(alone.stdout == (try petrel(group, "--help").stdout))
        }
    }

    @Test(arguments: [
        ["system", "--run", "/nonexistent/run", "status"], ["container", "--root=/nonexistent/root", "ps"],
    ])
    func optionsOfTheSuiteMayComeBetweenAGroupAndItsCommand(_ words: [String]) throws {
        let outcome = try run(binaries + "/petrel", words)
        #expect((outcome.stdout + outcome.stderr).contains("/nonexistent/"), "\(outcome)")
    }

    @Test(arguments: [
        (["rnu"], 1, "'rnu' is not a petrel command", "Did you mean 'petrel run'?"),
        (
            ["image", "prnue"], 1, "'prnue' is not a petrel image command",
            "Did you mean 'petrel image prune'?"
        ),
        (["help", "imagse"], 1, "'imagse' is not a petrel command", "Did you mean 'petrel images'?"),
        (["run", "--naem", "x", "busybox"], 125, "run: unknown flag: --naem", "Did you mean --name?"),
        (["ps", "--fliter", "a=b"], 125, "ps: unknown flag: --fliter", "Did you mean --filter?"),
        (["ps", "-A"], 125, "ps: unknown shorthand flag: 'A' in -A", "Did you mean -a?"),
        (
            ["run", "--rm", "-p", "80:80", "busybox"], 125, "run: --publish: is not supported yet",
            "networks of containers come later; use --network host, none or container:NAME"
        ),
        (
            ["container", "create", "--gpus=all", "busybox"], 125,
            "container create: --gpus: is not supported yet", "use --device"
        ),
    ])
    func mistakesInTypingAreOneLineAndAdvice(
        _ words: [String],
        _ code: Int32,
        _ what: String,
        _ advice: String
    )
        throws
    {
        let outcome = try run(binaries + "/petrel", words)
        let lines = outcome.stderr.split(separator: "\n")
        #expect(outcome.status == code && outcome.stdout.isEmpty && lines.count == 2, "\(outcome)")
        #expect(lines.first?.hasPrefix("petrel: " + what) == true, "\(outcome)")
        #expect(lines.last?.hasPrefix(advice) == true, "\(outcome)")
    }

    @Test(arguments: [
        (["tag", "a"], 1, "tag: requires 2 arguments", "petrel tag SOURCE-IMAGE TARGET-IMAGE"),
        (
            ["start"], 1, "start: requires at least 1 argument",
            "petrel start [OPTIONS] CONTAINER [CONTAINER...]"
        ),
        (["info", "x"], 1, "info: accepts no arguments", "petrel info [OPTIONS]"),
        (["run"], 1, "run: requires at least 1 argument", "petrel run [OPTIONS] IMAGE [COMMAND] [ARG...]"),
        (
            ["rpc", "call"], 2, "rpc call: requires at least 1 argument",
            "petrel rpc call [OPTIONS] METHOD [JSON]"
        ),
    ])
    func tooFewAndTooManyArgumentsShowTheUsage(
        _ words: [String],
        _ code: Int32,
        _ what: String,
        _ usage: String
    ) throws {
        let outcome = try run(binaries + "/petrel", words)
        #expect(outcome.status == code && outcome.stdout.isEmpty, "\(outcome)")
        let help = "See 'petrel \(words.prefix(code == 2 ? 2 : 1).joined(separator: " ")) --help'."
        #expect(outcome.stderr == "petrel: \(what)\nUsage:  \(usage)\n\(help)\n", "\(outcome)")
    }

    @Test(.needsProgram("python3")) func thePageAboutDockersCommandLineIsTrue() throws {
        let outcome = try run(
            "python3",
            [
                repository + "/scripts/check-command-line", "--petrel", binaries + "/petrel",
            ]
        )
        #expect(outcome.status == 0, "\(outcome)")
    }

    @Test func manualPagesAreWhatGroffTakes() throws {
        try withTemporaryDirectory { directory in
            let folder = directory + "/man1"
            let outcome = try petrel("man", folder)
            #expect(outcome.status == 0, "\(outcome)")
            let pages = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(pages.count == (try commands().count))
            for page in pages {
                let text = try String(contentsOfFile: folder + "/" + page, encoding: .utf8)
                #expect(text.contains(".SH NAME\npetrel") && text.contains(".SH EXAMPLES"), "\(page)")
            }
            guard programPath("groff") != nil else { return }
            let files = pages.map { folder + "/" + $0 }
            let check = try run("groff", ["-man", "-ww", "-z", "-Tutf8"] + files)
            #expect(check.status == 0 && check.stderr.isEmpty, "\(check)")
        }
    }
}

/// `petrel system check`.
@Suite(.needsRoot) struct SystemCheckTests {
    @Test func everyProbeFindsSomethingAndLeavesNothing() throws {
        try withTemporaryDirectory { directory in
            let before = HostProcess.all(mentioning: "__probe").count
            let arguments = ["--root", directory + "/not/yet/there", "system", "check", "--format", "json"]
            let outcome = try run(binaries + "/petrel", arguments)
            let findings = try #require(try Document(outcome.stdout).array)
            #expect(findings.count >= 20)
            let states = findings.compactMap { $0["state"].string }
            #expect(
                states.count == findings.count
                    && states.allSatisfy { ["ok", "limited", "missing"].contains($0) }
            )
            // The tests themselves run here, so nothing can be missing.
            #expect(outcome.status == 0 && !states.contains("missing"), "\(outcome)")
            #expect(
                findings.allSatisfy {
                    $0["state"].string == "ok" || $0["consequence"].string?.isEmpty == false
                },
                "\(outcome)"
            )
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory).isEmpty)
            #expect(HostProcess.all(mentioning: "__probe").count == before)
            let mounts = try String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)
            #expect(!mounts.contains("petrel-check"))
        }
    }

    @Test func aDiskThatCannotHoldContainersIsMissing() throws {
        let root = ["--root", "/proc/none", "system", "check"]
        let outcome = try run(binaries + "/petrel", root)
        #expect(outcome.status == 1, "\(outcome)")
        #expect(outcome.lines.contains { $0.hasPrefix("missing") && $0.contains("overlayfs") }, "\(outcome)")
        #expect(!outcome.stdout.contains("\u{1b}"))
        let template = try run(binaries + "/petrel", root + ["--format", "{{.name}} {{.state}}"])
        #expect(template.lines.contains("kernel ok"), "\(template)")
    }
}
