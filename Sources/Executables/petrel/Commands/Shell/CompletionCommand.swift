// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Rendering

struct CompletionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completion",
        _superCommandName: Petrel.name,
        abstract: "Print what makes a shell complete petrel's command lines.",
        discussion: """
            For bash: put 'source <(petrel completion bash)' into ~/.bashrc. For zsh: the same with zsh in ~/.zshrc, \
            after compinit. For fish: save the output as ~/.config/fish/completions/petrel.fish.

            EXAMPLE:
              source <(petrel completion bash)
            """
    )

    @Argument(help: "bash, zsh or fish.") var shell: String

    func run() async throws {
        guard let script = CompletionScript.text(for: shell) else {
            throw Failure(
                "completion",
                "there is none for '\(shell)'",
                advice: "Use \(CompletionScript.shells.joined(separator: ", "))."
            )
        }
        Screen.write(script, to: 1)
    }
}
