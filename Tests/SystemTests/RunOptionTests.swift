// SPDX-License-Identifier: Apache-2.0
import Foundation
import Rendering
import Testing
import TestSupport

/// Options of `run` and `create` that are the command line's own: files of variables, pulling, what is shown of it, keys
/// and signals.
@Suite(.serialized, .needsRoot)
struct RunOptionTests {
    /// Which of the two ways a command is parsed in makes no difference.
    @Test func theUsualOptionsMeanTheSameBesideOthers() throws {
        try withSuite { suite in
            try withTemporaryDirectory { directory in
                try Data("C=d".utf8).write(to: URL(fileURLWithPath: directory + "/variables"))
                let usual = [
                    "-dit", "--rm", "-e", "A=b", "--env-file=\(directory)/variables", "-v\(directory):/v:ro",
                    "-w/tmp",
                    "--user=1:2", "--entrypoint", "sleep", "-h", "host", "-m64m", "--cpus", "0.5",
                    "--pids-limit=99",
                    "--cap-add", "NET_ADMIN", "--cap-drop=CHOWN", "--network", "none", "-l", "k=v",
                    "--read-only",
                    "--stop-signal", "USR1", "--stop-timeout=7", "--pull", "never", "--quiet",
                ]
                func inspected(_ options: [String]) throws -> [String: NSDictionary] {
                    let outcome = try suite.petrel(["run"] + options + ["busybox", "100"])
                    #expect(outcome.status == 0, "\(outcome)")
                    let id = try #require(outcome.lines.first)
                    let text = try suite.petrel("inspect", id).stdout
                    let all = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]]
                    let parts = ["Config", "HostConfig", "Mounts"]
                    return Dictionary(
                        uniqueKeysWithValues: parts.map { ($0, ["": all?.first?[$0] ?? ""] as NSDictionary) }
                    )
                }
                #expect(UsualWords(usual + ["busybox"], UsualWords.run) != nil)
                let rest = usual + ["--sig-proxy=true"]
                #expect(UsualWords(rest + ["busybox"], UsualWords.run) == nil)
                let (found, expected) = (try inspected(usual), try inspected(rest))
                for (part, value) in expected {
                    #expect(found[part] == value, "\(part): \(found[part] ?? [:]) is not \(value)")
                }
                #expect("\(expected)".contains("NET_ADMIN"), "\(expected)")
            }
        }
    }

    /// The same of `exec`, which needs the parser for the suite's directories alone.
    @Test func execMeansTheSameWithAndWithoutTheParser() throws {
        try withSuite { suite in
            try withTemporaryDirectory { directory in
                try Data("C=d\n".utf8).write(to: URL(fileURLWithPath: directory + "/variables"))
                _ = try suite.petrel(
                    "run",
                    "-d",
                    "--name",
                    "c",
                    "--cap-add",
                    "SYS_PTRACE",
                    "busybox",
                    "sleep",
                    "1000"
                )
                let options = [
                    "-ie", "A=b", "-eE=f", "--env-file=\(directory)/variables", "-u1:2", "-w", "/tmp",
                    "--detach-keys",
                    "ctrl-x",
                ]
                let script = "cat; env | sort; id; pwd; grep CapEff /proc/self/status"
                let program = ["c", "sh", "-c", script]
                #expect(UsualWords(options + program, UsualWords.exec) != nil)
                for more in [[], ["--privileged"]] {
                    func outcome(_ words: [String]) throws -> (Int32, [String], String) {
                        let found = try suite.petrel(
                            ["exec"] + words + program,
                            stdin: .bytes(Array("in\n".utf8))
                        )
                        return (found.status, found.lines, found.stderr)
                    }
                    let (found, expected) = (
                        try outcome(options + more), try outcome(options + more + ["--root", suite.root])
                    )
                    #expect(
                        found == expected && found.0 == 0 && found.1.contains("A=b")
                            && found.1.contains("/tmp")
                    )
                }
                let detached = try suite.petrel("exec", "-d", "c", "touch", "/tmp/done")
                #expect(detached.status == 0 && detached.stdout.isEmpty, "\(detached)")
                try eventually("its work") { try suite.petrel("exec", "c", "ls", "/tmp").lines == ["done"] }
            }
        }
    }

    @Test func variablesComeFromFilesAndTheCallersEnvironment() throws {
        try withSuite(environment: ["OF_THE_CALLER": "given on"]) { suite in
            try withTemporaryDirectory { directory in
                let file = directory + "/variables"
                let text = """
                    # A comment, and an empty line:

                    A=of the file
                    B=with = signs and "quotes"
                    OF_THE_CALLER
                    OF_NOBODY
                      INDENTED=1
                    """
                try Data(text.utf8).write(to: URL(fileURLWithPath: file))
                let run = ["run", "--rm", "--env-file", file, "-eA=of the option", "busybox", "env"]
                let lines = try suite.petrel(run).lines
                #expect(lines.contains("A=of the option"))
                #expect(lines.contains(#"B=with = signs and "quotes""#))
                #expect(lines.contains("OF_THE_CALLER=given on"))
                #expect(lines.contains("INDENTED=1"))
                #expect(!lines.contains { $0.hasPrefix("OF_NOBODY") || $0.hasPrefix("#") }, "\(lines)")
                try Data("with blanks=1\n".utf8).write(to: URL(fileURLWithPath: file))
                let refused = try suite.petrel("run", "--rm", "--env-file", file, "busybox", "env")
                #expect(refused.status == 125 && refused.stderr.contains("with blanks"), "\(refused)")
                let absent = try suite.petrel("run", "--env-file", directory + "/absent", "busybox", "env")
                #expect(absent.status == 125 && absent.stderr.contains("absent"), "\(absent)")
            }
        }
    }

    @Test func aValueMayBeEmptyOrBelongToALetter() throws {
        try withSuite { suite in
            #expect(try suite.succeed("run", "--rm", "--entrypoint=", "busybox", "echo", "x") == "x")
            #expect(try suite.succeed("run", "--rm", "--workdir=", "-u=", "busybox", "pwd") == "/")
            let shown = try suite.petrel(
                "run",
                "--rm",
                "-eport=1",
                "-eon=true",
                "-e",
                "off=false",
                "busybox",
                "env"
            )
            for line in ["port=1", "on=true", "off=false"] { #expect(shown.lines.contains(line), "\(shown)") }
            try suite.succeed("run", "-d", "--name", "labelled", "-lhot=true", "busybox", "sleep", "1000")
            #expect(try suite.succeed("ps", "-flabel=hot=true", "--format={{.Names}}") == "labelled")
            #expect(try suite.succeed("exec", "-eport=2", "labelled", "sh", "-c", "echo $port") == "2")
            for words in [["-l", ""], ["-l", "=x"], ["-e", ""], ["-e", "=x"]] {
                let refused = try suite.petrel(["run", "--rm"] + words + ["busybox", "true"])
                #expect(refused.status == 125 && refused.stderr.contains("has no name"), "\(refused)")
            }
        }
    }

    @Test(.needsProgram("docker-registry"), .needsProgram("skopeo"))
    func pullingIsChosen() throws {
        try withRegistry { registry in
            let name = "\(registry.address)/team/versioned:1"
            try withSuite(image: false) { suite in
                func output(_ options: String...) throws -> Outcome {
                    try suite.petrel(["run", "--rm"] + options + [name, "cat", "/version"])
                }
                try push(version: "one", to: registry, as: "team/versioned:1")
                let never = try output("--pull", "never")
                #expect(never.status == 125 && never.stderr.contains(name), "\(never)")
                // What is said of a pull goes to standard error, and nothing with --quiet.
                let first = try output()
                #expect(first.stdout == "one", "\(first)")
                #expect(first.stderr.contains("Unable to find image '\(name)' locally"), "\(first)")
                #expect(first.stderr.contains(": complete"), "\(first)")

                try push(version: "two", to: registry, as: "team/versioned:1")
                #expect(try output("--pull=missing").stdout == "one")
                let always = try output("--pull=always", "--quiet")
                #expect(always.stdout == "two" && always.stderr == "", "\(always)")
                let created = try suite.petrel("create", "--pull=always", "-q", "--name", "c", name, "true")
                #expect(created.status == 0 && created.stderr == "" && created.text.count == 64, "\(created)")
            }
        }
    }

    private func push(version: String, to registry: TestRegistry, as name: String) throws {
        var layer = TarArchive()
        layer.add(.file, "version", text: version)
        let archive = try TestImage.archive(
            "versioned:1",
            layers: [TestImage.busyboxLayer(), layer.finished]
        )
        try withTemporaryDirectory { directory in
            try Data(archive).write(to: URL(fileURLWithPath: directory + "/image.tar"))
            try registry.push(archive: directory + "/image.tar", as: name)
        }
    }

    @Test(.needsProgram("docker-registry"), .needsProgram("skopeo"))
    func progressIsDrawnAtATerminalAlone() throws {
        try withRegistry { registry in
            try registry.push(archive: busyboxArchive.get(), as: "team/busybox:1.0")
            let name = "\(registry.address)/team/busybox:1.0"
            try withSuite(image: false) { suite in
                // Progress goes to standard error.
                let line = "exec \(binaries)/petrel --root \(suite.root) --run \(suite.run) pull \(name) 2>&1"
                let drawn = try TerminalProcess("/bin/sh", ["-c", line])
                #expect(try drawn.finish() == 0)
                // Lines that are drawn again over themselves, until the layer is complete.
                #expect(drawn.screen.contains("\u{1b}[1A"), "\(drawn.screen.debugDescription)")
                #expect(drawn.screen.contains(": complete"), "\(drawn.screen.debugDescription)")
                try suite.succeed("rmi", name)
                let plain = try suite.petrel("pull", name)
                #expect(plain.status == 0 && !(plain.stdout + plain.stderr).contains("\u{1b}"), "\(plain)")
                #expect(plain.stderr.contains(": complete"), "\(plain)")
            }
        }
    }

    @Test func otherKeysDetachFromWhatRuns() throws {
        try withSuite { suite in
            let shell = try suite.inTerminal(
                "run",
                "-it",
                "--detach-keys",
                "ctrl-a,b",
                "--name",
                "s",
                "busybox",
                "sh"
            )
            try shell.expect("/ # ")
            // The usual keys are the program's now: ^P is the line before, ^Q goes on.
            try shell.type("\u{10}\u{11}echo still $((40 + 2))\n")
            try shell.expect("still 42")
            try shell.type("\u{1}b")
            #expect(try shell.finish() == 0)
            #expect(shell.isCooked)
            #expect(try suite.status(of: "s") == "running")
        }
    }

    @Test func signalsArePassedOnUnlessNotWanted() throws {
        try withSuite { suite in
            let script = "trap 'echo caught; exit 21' TERM; echo ready; while :; do usleep 50000; done"
            func start(_ name: String, _ options: String...) throws -> ChildProcess {
                let run = ["run", "--name", name] + options + ["busybox", "sh", "-c", script]
                let client = try suite.background(run)
                try eventually("the program's first line") { client.output.contains("ready") }
                return client
            }
            let passing = try start("passing")
            passing.kill(SIGTERM)
            let outcome = try passing.finish()
            #expect(outcome.status == 21 && outcome.stdout.hasSuffix("caught\n"), "\(outcome)")

            let keeping = try start("keeping", "--sig-proxy=false")
            keeping.kill(SIGTERM)
            #expect(try keeping.finish().status == 143)
            #expect(try suite.status(of: "keeping") == "running")
        }
    }
}
