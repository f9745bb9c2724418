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
            if error.name == "EPIPE" { Ending.exit(141) }
            // Of standard error there is nowhere to tell.
            if descriptor == 1 { try? Files.writeAll(2, Array("petrel: standard output: \(error)\n".utf8)) }
            Ending.exit(1)
        }
    }

    /// Copies what a container has written. A reader who is slow is waited for by another thread: the one that hears the engine
    /// goes on.
    static func copy(_ bytes: [UInt8], to descriptor: Int32) async {
        if takesAtOnce(bytes.count, descriptor) { return write(bytes, to: descriptor) }
        await withTaskExecutorPreference(globalConcurrentExecutor) { write(bytes, to: descriptor) }
    }

    /// What is writable has room for a page, if it is no terminal.
    private static func takesAtOnce(_ count: Int, _ descriptor: Int32) -> Bool {
        guard count <= 4096, !CurrentProcess.isTerminal(descriptor) else { return false }
        var entries = [Poll.Entry(descriptor, .writable)]
        guard (try? Poll.wait(&entries, deadlineNanos: 0)) != nil else { return false }
        return entries[0].found != Poll.Interest()
    }

    /// One line of the result.
    static func print(_ line: String) { write(line + "\n", to: 1) }

    /// A table that fits the terminal, where standard output is one.
    static func print(_ table: Table) {
        write(table.lines(width: tableWidth).joined(separator: "\n") + "\n", to: 1)
    }

    static func print(_ json: JSON, pretty: Bool = true) {
        write(json.serialized(pretty: pretty) + [0x0a], to: 1)
    }

    /// Lines for people, beside the result.
    static func say(_ lines: [String]) {
        for line in lines { write(line + "\n", to: 2) }
    }

    static func say(_ line: String) { say([line]) }

    static var isErrorTerminal: Bool { CurrentProcess.isTerminal(2) }

    /// Columns that a table has on standard output; nil where that is no terminal: what is piped is never cut.
    static var tableWidth: Int? { CurrentProcess.isTerminal(1) ? CurrentProcess.terminalWidth(1) : nil }

    /// Whether standard output may have colours: a terminal that knows them, of somebody who wants them.
    static var hasColours: Bool {
        CurrentProcess.isTerminal(1) && (SystemEnvironment.value(of: "NO_COLOR") ?? "").isEmpty
            && SystemEnvironment.value(of: "TERM") ?? "dumb" != "dumb"
    }

    /// Columns of the terminal on standard error; 80 where it does not say.
    static var width: Int { CurrentProcess.terminalWidth(2) ?? 80 }
}

extension Listing {
    /// - Parameter isWhole: Nothing is cut, however narrow the terminal (`--no-trunc`).
    func show(format: String, isWhole: Bool = false) throws(Failure) {
        let lines = try lines(format: format, width: isWhole ? nil : Screen.tableWidth)
        if !lines.isEmpty { Screen.write(lines.joined(separator: "\n") + "\n", to: 1) }
    }
}

extension JSON {
    /// Prints one object for `--format`: `json`, or a template.
    func show(format: String) throws(Failure) {
        if format == "json" || format == "{{json .}}" { return Screen.print(self, pretty: false) }
        Screen.print(try Template(format).text(of: self, isStrict: true))
    }
}
