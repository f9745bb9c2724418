// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import JSON
import Messages
import RPC
import Rendering
import Services
import System

struct Events: EngineCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        _superCommandName: Petrel.name,
        abstract: "Show what happens to containers and images, as it happens.",
        discussion: "EXAMPLE:\n  petrel events --since 1h --filter event=die"
    )

    @Option(parsing: .unconditional, help: "From this time (RFC 3339 or Unix), or so long ago (10m).")
    var since: String?
    @Option(parsing: .unconditional, help: "Until this time, then end.") var until: String?
    @Option(
        name: [.customShort("f", allowingJoined: true), .long],
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "container=, daemon=, event=, image=, label= or type=; may be repeated.",
            valueName: "key=value"
        )
    )
    var filter: [String] = []
    @Option(parsing: .unconditional, help: "'json' (one object a line), or a template.") var format: String?
    @OptionGroup var place: PlaceOptions

    func run(_ engine: EngineConnection) async throws {
        let now = Clock.wallNanos
        let template = try format.flatMap { $0 == "json" || $0 == "{{json .}}" ? nil : $0 }.map {
            text throws(Failure) in
            try Template(text)
        }
        var request = EngineV1.EventsRequest(
            sinceUnixNanos: try Moments.option("--since", since, now: now),
            untilUnixNanos: try Moments.option("--until", until, now: now),
            filters: filter
        )
        var interruptions = Interruptions()
        while true {
            do {
                let events = try await engine.system.events(request)
                while let event = try await events.next() {
                    request.afterSequence = max(request.afterSequence, event.sequence)
                    Screen.print(try text(event, template))
                }
                return
            } catch {
                guard let error = error as? RPCError else { throw error }
                guard interruptions.count(error) else { throw engine.failure("events", error) }
                // Without one event seen, those of the interruption are found by time.
                if request.afterSequence == 0, request.sinceUnixNanos == 0 { request.sinceUnixNanos = now }
                try await engine.comeBack("events", after: error)
            }
        }
    }

    private func text(_ event: EngineV1.Event, _ template: Template?) throws(Failure) -> String {
        if let template { return try template.text(of: fields(event), isStrict: true) }
        guard format == nil else { return document(event).serializedText() }
        return line(event)
    }

    /// `2026-11-23T15:00:00.123456789Z container start 4a5f… (image=busybox, name=web)`.
    private func line(_ event: EngineV1.Event) -> String {
        let attributes = event.attributes.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let time = Timestamp(unixNanos: event.wallUnixNanos).rfc3339()
        let list = attributes.isEmpty ? "" : " (" + attributes.joined(separator: ", ") + ")"
        return "\(time) \(event.type) \(event.action) \(event.actorId)\(list)"
    }

    /// As templates see it: the Docker engine's names, beside those of its JSON.
    private func fields(_ event: EngineV1.Event) -> JSON {
        let document = document(event)
        guard case .object(var members) = document else { return document }
        for (name, key) in [
            ("ID", "id"), ("Status", "status"), ("From", "from"), ("Scope", "scope"), ("Time", "time"),
            ("TimeNano", "timeNano"),
        ] { members[name] = members[key] }
        return .object(members)
    }

    private func document(_ event: EngineV1.Event) -> JSON {
        let attributes = event.attributes.sorted { $0.key < $1.key }.map { ($0.key, JSON.string($0.value)) }
        return [
            "status": .string(event.action),
            "id": .string(event.actorId),
            "from": .string(event.attributes["image"] ?? ""),
            "Type": .string(event.type),
            "Action": .string(event.action),
            "Actor": ["ID": .string(event.actorId), "Attributes": .object(JSON.Object(attributes))],
            "scope": "local",
            "time": .integer(event.wallUnixNanos / 1_000_000_000),
            "timeNano": .integer(event.wallUnixNanos),
        ]
    }
}
