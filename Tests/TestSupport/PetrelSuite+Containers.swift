// SPDX-License-Identifier: Apache-2.0
import Foundation
package import Testing

extension PetrelSuite {
    /// Starts a container that prints 0, 1, 2, … on lines of their own, one each `micros` microseconds.
    /// - Returns: Its id.
    @discardableResult
    package func startCounter(_ name: String, micros: Int = 10_000, options: [String] = []) throws -> String {
        let script = "i=0; while :; do echo $i; i=$((i+1)); usleep \(micros); done"
        return try startShell(name, script, options: options)
    }

    /// Starts a container that runs a shell script.
    /// - Returns: Its id.
    @discardableResult
    package func startShell(_ name: String, _ script: String, options: [String] = []) throws -> String {
        let outcome = try petrel(["run", "-d", "--name", name] + options + ["busybox", "sh", "-c", script])
        guard outcome.status == 0 else { throw CommandFailed(outcome: outcome) }
        return outcome.text
    }

    /// What a container's `State` says in `inspect`.
    package func state(_ name: String) throws -> Document { try inspect(name)["State"] }

    /// "running", "exited", ….
    package func status(of name: String) throws -> String { try state(name)["Status"].string ?? "" }

    package func waitUntil(_ name: String, is status: String, within limit: Double = 20) throws {
        try eventually("\(name) \(status)", within: limit, every: 0.03) {
            try self.status(of: name) == status
        }
    }

    /// Waits until a container has printed `count` lines.
    package func waitForLines(_ name: String, _ count: Int, within limit: Double = 30) throws {
        try eventually("\(count) lines of \(name)", within: limit, every: 0.05) {
            try petrel("logs", name).lines.count >= count
        }
    }

    package func exists(container name: String) throws -> Bool {
        try petrel("inspect", name).status == 0
    }

    /// The ids of all containers.
    package func containers() throws -> [String] {
        try succeed("ps", "-a", "-q", "--no-trunc").split(separator: "\n").map(String.init)
    }

    /// Expects the container's output to be 0, 1, 2, … without a gap or a repetition, at least `count` of them.
    package func expectCounting(
        _ name: String,
        atLeast count: Int = 1,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let outcome = try petrel("logs", name)
        #expect(outcome.status == 0, "\(outcome)", sourceLocation: sourceLocation)
        expectCounts(outcome.stdout, atLeast: count, of: name, sourceLocation: sourceLocation)
    }
}

/// Expects text to be the lines 0, 1, 2, …; an unfinished last line is none.
package func expectCounts(
    _ text: String,
    atLeast count: Int = 1,
    of name: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
) {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    // What follows the last newline is empty, or a line that is still being written.
    if !lines.isEmpty { lines.removeLast() }
    let wrong = lines.enumerated().first { $0.element != "\($0.offset)" }
    if let wrong {
        let near = lines[max(0, wrong.offset - 3)..<min(lines.count, wrong.offset + 4)].joined(separator: " ")
        Issue.record(
            "\(name): line \(wrong.offset) of \(lines.count) is \"\(wrong.element)\": … \(near) …",
            sourceLocation: sourceLocation
        )
    }
    #expect(lines.count >= count, "\(name) has only \(lines.count) lines", sourceLocation: sourceLocation)
}
