// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import JSON
import Rendering

/// The commands as the argument parser knows them, for help, completion, manual pages and suggestions.
enum CommandTree {
    /// - Throws: when the argument parser describes itself in another way than this release knows.
    static func root() throws(Failure) -> CommandDescription { try command(Petrel.self) }

    /// One command alone, with what is below it: a tenth of the work.
    static func command(_ type: any ParsableCommand.Type) throws(Failure) -> CommandDescription {
        guard let dump = try? JSON(parsing: Array(type._dumpHelp().utf8)),
            let command = CommandDescription(dump: dump)
        else { throw Failure("petrel", "its own description cannot be read") }
        return command
    }
}
