// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Rendering
import Suite
import System

struct Man: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "man",
        _superCommandName: Petrel.name,
        abstract: "Write the manual pages of all commands into a folder.",
        discussion: "EXAMPLE:\n  petrel man /usr/local/share/man/man1"
    )

    @Argument(help: "The folder; it is made where it is absent.") var directory: String

    func run() async throws {
        do {
            try Files.makeDirectories(directory, mode: 0o755)
            try write([try CommandTree.root()])
        } catch let error as SystemError {
            throw Failure("man", "\(error)")
        }
    }

    private func write(_ path: [CommandDescription]) throws {
        guard let command = path.last, !command.isHidden else { return }
        let page = ManualPage(path, release: Release.version)
        try Files.replace("\(directory)/\(page.name).1", with: Array(page.text.utf8), mode: 0o644)
        for subcommand in command.subcommands { try write(path + [subcommand]) }
    }
}
