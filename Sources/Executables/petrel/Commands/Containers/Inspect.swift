// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import JSON
import Messages
import RPC
import Rendering
import Services

/// What is read from an answer of `inspect`.
enum Inspection {
    static func id(_ json: [UInt8]) -> String? { (try? JSON(parsing: json))?["Id"]?.string }
}

struct Inspect: EngineCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        _superCommandName: Petrel.name,
        abstract: "Show all that is known about containers or images, as a JSON array.",
        discussion: """
            EXAMPLE:
              petrel inspect web busybox:latest
              petrel inspect -f '{{.State.Pid}}' web
              petrel inspect -f '{{range .Mounts}}{{println .Source .Destination}}{{end}}' web
            """
    )

    @Option(name: .long, parsing: .unconditional, help: "'container' or 'image': look for nothing else.")
    var type: String?
    @Flag(name: [.short, .long], help: "Of containers, also how much they have written.") var size = false
    @OptionGroup var inspection: ObjectInspection
    @OptionGroup var place: PlaceOptions

    func validate() throws {
        guard type == nil || type == "container" || type == "image" else {
            throw ValidationError("--type is 'container' or 'image'")
        }
    }

    func run(_ engine: EngineConnection) async throws {
        try await inspection.show(type.flatMap(ObjectInspection.Kind.init), engine, size: size)
    }
}

struct ContainerInspect: EngineCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        _superCommandName: Petrel.name,
        abstract: "Show all that is known about containers, as a JSON array.",
        discussion: "EXAMPLE:\n  petrel container inspect -f '{{.State.Status}}' web"
    )

    @Flag(name: [.short, .long], help: "Also how much they have written.") var size = false
    @OptionGroup var inspection: ObjectInspection
    @OptionGroup var place: PlaceOptions

    func run(_ engine: EngineConnection) async throws {
        try await inspection.show(.container, engine, size: size)
    }
}

struct ImageInspect: EngineCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        _superCommandName: Petrel.name,
        abstract: "Show all that is known about images, as a JSON array.",
        discussion: "EXAMPLE:\n  petrel image inspect -f '{{json .Config.Env}}' busybox"
    )

    @Option(name: .long, parsing: .unconditional, help: "Only if they are for this, such as linux/amd64.")
    var platform = ""
    @OptionGroup var inspection: ObjectInspection
    @OptionGroup var place: PlaceOptions

    func run(_ engine: EngineConnection) async throws {
        try await inspection.show(.image, engine, platform: platform)
    }
}

/// What the commands called `inspect` have in common.
struct ObjectInspection: ParsableArguments {
    enum Kind: String { case container, image }

    @Option(
        name: [.short, .long],
        parsing: .unconditional,
        help: "'json', or a template such as '{{.Id}}', for each object."
    ) var format: String?
    @Argument(help: "Names, ids or image references.") var objects: [String]

    /// Shows what is found, then says what is not.
    /// - Parameters:
    ///   - kind: nil for a container of that name, else an image.
    ///   - size: Of a container, also what it has written.
    ///   - platform: What an image has to be for; empty: anything.
    func show(
        _ kind: Kind?,
        _ engine: EngineConnection,
        size: Bool = false,
        platform: String = ""
    ) async throws {
        let template = try format.flatMap { $0 == "json" ? nil : $0 }.map { text throws(Failure) in
            try Template(text)
        }
        var found: [JSON] = []
        var failures: [Failure] = []
        for name in objects {
            let request = EngineV1.InspectRequest(object: name, size: size, platform: platform)
            do { found.append(try await inspect(request, kind, engine)) } catch let failure as Failure {
                failures.append(failure)
            }
        }
        if let template {
            for object in found {
                let object = InspectFields.filled(object)
                do { Screen.print(try template.text(of: object, isStrict: true)) } catch {
                    failures.append(error)
                }
            }
        } else {
            Screen.print(.array(found), pretty: format == nil)
        }
        for failure in failures { Screen.say(failure.lines) }
        if !failures.isEmpty { throw ExitCode(1) }
    }

    private func inspect(
        _ request: EngineV1.InspectRequest,
        _ kind: Kind?,
        _ engine: EngineConnection
    ) async throws -> JSON {
        let name = request.object
        let answer = try await engine.repeating("inspect \(name)") { () async throws(RPCError) in
            if kind != .image {
                do throws(RPCError) { return try await engine.containers.inspect(request) } catch {
                    guard error.code == .notFound, kind == nil else { throw error }
                }
            }
            do throws(RPCError) { return try await engine.images.inspect(request) } catch {
                // An ambiguous id says more than that nothing was found.
                let isAbsent = error.code == .notFound || error.detail?.reason == "invalid_reference"
                guard kind == nil, isAbsent else { throw error }
                throw RPCError(.notFound, "no container or image is called '\(name)'", details: [])
            }
        }
        do { return try JSON(parsing: answer.json) } catch {
            throw Failure("inspect \(name)", "the engine's answer cannot be read: \(error)")
        }
    }
}
