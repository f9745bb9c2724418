// SPDX-License-Identifier: Apache-2.0
import Messages
import RPC
import Rendering
import Services
import System

/// Making a container, with its image pulled first where it is missing.
struct Creation {
    let engine: EngineConnection
    let options: ContainerOptions
    let config: EngineV1.ContainerConfig
    /// `run` or `create`.
    let verb: String

    /// - Throws: `Failure` with exit code 125.
    func create() async throws -> EngineV1.CreateResponse {
        if let path = options.idFile, Files.exists(path) {
            throw Failure("\(verb) \(config.image)", "the file \(path) exists already", exitCode: 125)
        }
        if options.pull == "always" { try await pull() }
        let what = "\(verb) \(config.image)"
        let request = EngineV1.CreateRequest(
            name: options.name ?? "",
            config: config,
            key: try EngineConnection.newKey()
        )
        let created: EngineV1.CreateResponse
        do throws(RPCError) {
            created = try await engine.untilAnswered { () async throws(RPCError) in
                try await engine.containers.create(request)
            }
        } catch {
            guard options.pull == "missing", error.code == .notFound,
                ["image_not_found", "platform_mismatch"].contains(error.detail?.reason)
            else {
                throw engine.failure(what, error, exitCode: 125)
            }
            if !options.quiet { Screen.say("Unable to find image '\(config.image)' locally") }
            try await pull()
            created = try await engine.repeating(what) { () async throws(RPCError) in
                try await engine.containers.create(request)
            }
        }
        for warning in created.warnings { Screen.say("WARNING: \(warning)") }
        if let path = options.idFile {
            let file = try Files.open(path, [.writeOnly, .create, .exclusive], mode: 0o644)
            try Files.writeAll(file.raw, Array(created.id.utf8))
        }
        return created
    }

    private func pull() async throws(Failure) {
        do {
            _ = try await ImagePull(
                engine: engine,
                reference: config.image,
                platform: config.platform,
                isQuiet: options.quiet
            ).run()
        } catch {
            throw Failure(error.what, error.why, advice: error.advice, exitCode: 125)
        }
    }
}
