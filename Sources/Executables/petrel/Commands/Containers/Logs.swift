// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import RPC
import Rendering
import System

struct Logs: EngineCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        _superCommandName: Petrel.name,
        abstract: "Show what a container has written.",
        discussion: "EXAMPLE:\n  petrel logs -f --tail 100 --since 10m web"
    )

    @Flag(name: [.short, .long], help: "Go on with what it writes from now on.") var follow = false
    @Option(
        name: [.customLong("tail"), .customShort("n", allowingJoined: true)],
        parsing: .unconditional,
        help: "Only the last so many lines, or 'all'."
    )
    var tail = "all"
    @Option(
        name: .long,
        parsing: .unconditional,
        help: "Not before this time (RFC 3339 or Unix), or so long ago (10m)."
    ) var since: String?
    @Option(name: .long, parsing: .unconditional, help: "Not after this time, or so long ago.") var until:
        String?
    @Flag(name: [.short, .long], help: "Put its time before each line.") var timestamps = false
    @Flag(name: .long, help: "Put before each line what '--log-opt labels=' and 'env=' name.") var details =
        false
    @Argument(help: "Name or id.") var container: String
    @OptionGroup var place: PlaceOptions

    func run(_ engine: EngineConnection) async throws {
        let now = Clock.wallNanos
        var request = EngineV1.LogsRequest(
            container: container,
            follow: follow,
            stdout: true,
            stderr: true,
            sinceUnixNanos: try Moments.option("--since", since, now: now),
            untilUnixNanos: try Moments.option("--until", until, now: now),
            timestamps: timestamps,
            details: details
        )
        if tail != "all" {
            // A negative number means all of them, as with Docker.
            guard let lines = Int64(tail) else { throw Failure("--tail '\(tail)'", "is no number of lines") }
            request.tail = lines < 0 ? nil : UInt64(lines)
        }
        let output = OutputFollower(engine: engine, request: request)
        try await output.run()
    }
}
