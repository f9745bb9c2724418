// SPDX-License-Identifier: Apache-2.0
import JSON
import Rendering
import System

/// Standard output and standard error. Results go to the first, progress and advice to the second.
enum Screen {
    static func write(_ text: String, to descriptor: Int32) {
        write(Array(text.utf8), to: descriptor)
    }

    /// Ends the process when nobody reads any more.
    static func write(_ bytes: [UInt8], to descriptor: Int32) {
        do throws(SystemError) {
            try Files.writeAll(descriptor, bytes)
        } catch {
            Ending.exit(error.name == "EPIPE" ? 141 : 1)
        }
    }

    /// One line of the result.
    static func print(_ line: String) { write(line + "\n", to: 1) }

    static func print(_ table: Table) { write(table.lines.joined(separator: "\n") + "\n", to: 1) }

    static func print(_ json: JSON, pretty: Bool = true) {
        write(json.serialized(pretty: pretty) + [0x0a], to: 1)
    }

    /// Lines for people, beside the result.
    static func say(_ lines: [String]) {
        for line in lines { write(line + "\n", to: 2) }
    }

    static func say(_ line: String) { say([line]) }

    static var isErrorTerminal: Bool { CurrentProcess.isTerminal(2) }

    /// Columns of the terminal on standard error; 80 where it does not say.
    static var width: Int { CurrentProcess.terminalWidth(2) ?? 80 }
}

extension Listing {
    func show(format: String) throws(Failure) {
        let lines = try lines(format: format)
        if !lines.isEmpty { Screen.write(lines.joined(separator: "\n") + "\n", to: 1) }
    }
}
