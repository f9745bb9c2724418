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
        abstract: "Show all that is known about containers or images, as a JSON array.",
        discussion: "EXAMPLE:\n  petrel inspect web busybox:latest\n  petrel inspect -f '{{.State.Pid}}' web"
    )

    @Option(name: .long, parsing: .unconditional, help: "'container' or 'image': look for nothing else.")
    var type: String?
    @Option(
        name: [.short, .long],
        parsing: .unconditional,
        help: "A template such as '{{.State.Pid}}', for each object."
    ) var format: String?
    @Argument(help: "Names, ids or image references.") var objects: [String]
    @OptionGroup var place: PlaceOptions

    func validate() throws {
        guard type == nil || type == "container" || type == "image" else {
            throw ValidationError("--type is 'container' or 'image'")
        }
    }

    func run(_ engine: EngineConnection) async throws {
        var found: [JSON] = []
        var failures: [Failure] = []
        for name in objects {
            do { found.append(try await inspect(name, engine)) } catch let failure as Failure {
                failures.append(failure)
            }
        }
        if let format {
            let template = try Template(format)
            for object in found { Screen.print(template.text(of: object)) }
        } else {
            Screen.print(.array(found))
        }
        for failure in failures { Screen.say(failure.lines) }
        if !failures.isEmpty { throw ExitCode(1) }
    }

    private func inspect(_ name: String, _ engine: EngineConnection) async throws -> JSON {
        let request = EngineV1.InspectRequest(object: name)
        let answer = try await engine.repeating("inspect \(name)") { () async throws(RPCError) in
            if type != "image" {
                do throws(RPCError) { return try await engine.containers.inspect(request) } catch {
                    guard error.code == .notFound, type == nil else { throw error }
                }
            }
            do throws(RPCError) { return try await engine.images.inspect(request) } catch {
                guard type == nil, error.code == .notFound || error.code == .invalidArgument else {
                    throw error
                }
                throw RPCError(.notFound, "no container or image is called '\(name)'", details: [])
            }
        }
        do { return try JSON(parsing: answer.json) } catch {
            throw Failure("inspect \(name)", "the engine's answer cannot be read: \(error)")
        }
    }
}
