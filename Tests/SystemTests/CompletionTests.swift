// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TestSupport

/// The shells' own completion, with real containers and images.
@Suite(.serialized, .needsRoot)
struct CompletionTests {
    /// What `petrel` is in the shells: found in the PATH, and speaking to this suite.
    private func environment(_ suite: PetrelSuite) -> [String: String] {
        var environment = ProcessInfo.processInfo.environment
        environment["PATH"] = binaries + ":" + (environment["PATH"] ?? "/usr/bin:/bin")
        environment["PETREL_ROOT"] = suite.root
        environment["PETREL_RUN"] = suite.run
        environment["HOME"] = suite.directory
        return environment
    }

    private func shell(_ suite: PetrelSuite, _ program: String, _ arguments: [String]) throws -> String {
        let outcome = try run(program, arguments, environment: environment(suite))
        guard outcome.status == 0 else { throw CommandFailed(outcome: outcome) }
        return outcome.stdout
    }

    private static let bash = """
        source <(petrel completion bash)
        complete -p petrel >/dev/null || exit 1
        while IFS= read -r line; do
            COMP_LINE=$line COMP_POINT=${#line}
            read -r -a COMP_WORDS <<<"$line"
            [[ $line == *' ' ]] && COMP_WORDS+=("")
            # A colon and an equals sign are words of their own to bash.
            last=${COMP_WORDS[-1]}
            if [[ $last == *[:=]* ]]; then
                head=${last%%[:=]*} rest=${last#"${last%%[:=]*}"}
                COMP_WORDS[-1]=$head COMP_WORDS+=("${rest:0:1}")
                [[ -n ${rest:1} ]] && COMP_WORDS+=("${rest:1}")
            fi
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            COMPREPLY=()
            _petrel
            echo "$line=> ${COMPREPLY[*]}"
        done
        """

    @Test func bashCompletesCommandsOptionsContainersAndImages() throws {
        try withSuite { suite in
            try suite.startShell("runner", "sleep 1000")
            try suite.succeed("create", "--name", "rested", "busybox")
            let lines = [
                "petrel hist", "petrel run --restart unl", "petrel ps --filter status=exi", "petrel stop r",
                "petrel start ", "petrel rm r", "petrel run bus", "petrel rmi busybox:la",
                "petrel inspect run",
                "petrel cp runn", "petrel cp runner:/e",
                "petrel --root \(suite.root) rm rest", "petrel load -i \(suite.directory)/roo",
            ]
            let script = suite.directory + "/complete.bash"
            try CompletionTests.bash.write(toFile: script, atomically: true, encoding: .utf8)
            let input = lines.joined(separator: "\n") + "\n"
            let outcome = try run(
                "bash",
                [script],
                stdin: .bytes(Array(input.utf8)),
                environment: environment(suite)
            )
            #expect(
                outcome.lines == [
                    "petrel hist=> history", "petrel run --restart unl=> unless-stopped",
                    "petrel ps --filter status=exi=> exited", "petrel stop r=> runner",
                    "petrel start => rested",
                    "petrel rm r=> rested runner", "petrel run bus=> busybox busybox:latest",
                    "petrel rmi busybox:la=> latest", "petrel inspect run=> runner",
                    "petrel cp runn=> runner:", "petrel cp runner:/e=> ",
                    "petrel --root \(suite.root) rm rest=> rested",
                    "petrel load -i \(suite.directory)/roo=> \(suite.directory)/root",
                ],
                "\(outcome)"
            )
        }
    }

    @Test func completionIsQuietAndQuickWithoutAnEngine() throws {
        try withTemporaryDirectory { directory in
            let arguments = ["--root", directory + "/none", "__complete", "--", "stop", ""]
            let outcome = try run(binaries + "/petrel", arguments, within: 5)
            #expect(outcome.status == 0 && outcome.stdout.isEmpty && outcome.stderr.isEmpty, "\(outcome)")
        }
    }

    /// An interactive zsh in a terminal of its own, to which keys are typed.
    private static let zsh = #"""
        zmodload zsh/zpty
        zpty z 'TERM=dumb COLUMNS=200 zsh -f -i'
        all=
        await() {
            local line i
            for i in {1..200}; do
                while zpty -r -t z line; do all+=$line; done
                [[ $all == *$1* ]] && return
                sleep 0.05
            done
        }
        zpty -w z 'PROMPT= RPROMPT=; autoload -U compinit; compinit -u -D; source <(petrel completion zsh)'
        zpty -w z 'bindkey "^I" complete-word; shown() { BUFFER="print -r -- ${(q):-<$BUFFER>}"; zle accept-line }'
        zpty -w z 'zle -N shown; bindkey "^X" shown; print REA""DY'
        await READY
        number=0
        for probe in 'petrel hist' 'petrel run --restart unl' 'petrel stop runn' 'petrel run busybox:l'; do
            zpty -w -n z "$probe"$'\t'
            sleep 0.5
            zpty -w -n z $'\x18'
            await "<$probe"
        done
        zpty -w z 'print DO""NE'
        await DONE
        zpty -d z
        print -r -- "$all" | grep -a -o '^<[^>]*>'
        """#

    @Test(.enabled(if: programPath("zsh") != nil, "zsh is not installed"))
    func zshCompletes() throws {
        try withSuite { suite in
            try suite.startShell("runner", "sleep 1000")
            let script = suite.directory + "/complete.zsh"
            try CompletionTests.zsh.write(toFile: script, atomically: true, encoding: .utf8)
            let found = try shell(suite, "zsh", ["-f", script])
            #expect(
                found.split(separator: "\n").map(String.init) == [
                    "<petrel history >", "<petrel run --restart unless-stopped >", "<petrel stop runner >",
                    "<petrel run busybox:latest >",
                ],
                "\(found)"
            )
        }
    }

    @Test(.enabled(if: programPath("fish") != nil, "fish is not installed"))
    func fishCompletes() throws {
        try withSuite { suite in
            try suite.startShell("runner", "sleep 1000")
            func complete(_ line: String) throws -> String {
                try shell(suite, "fish", ["-c", "petrel completion fish | source; complete -C \"\(line)\""])
            }
            #expect(try complete("petrel hist") == "history\tShow how an image was made.\n")
            #expect(try complete("petrel run --restart unl") == "unless-stopped\n")
            #expect(try complete("petrel stop ru") == "runner\trunning, busybox\n")
            #expect(try complete("petrel run bus").hasPrefix("busybox\t"))
        }
    }

    @Test func anUnknownShellIsRefused() throws {
        let outcome = try run(binaries + "/petrel", ["completion", "csh"])
        #expect(outcome.status == 1 && outcome.stderr.contains("bash, zsh, fish"), "\(outcome)")
    }
}
