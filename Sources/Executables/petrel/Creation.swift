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

    /// - Parameter launch: Start it, too; nil: only make it.
    /// - Throws: `Failure` with exit code 125; 126 and 127 when its program was not executed.
    func create(launch: Launch? = nil) async throws -> EngineV1.CreateResponse {
        if let path = options.idFile, Files.exists(path) {
            throw Failure("\(verb) \(config.image)", "the file \(path) exists already", exitCode: 125)
        }
        if options.pull == "always" { try await pull() }
        let request = EngineV1.CreateRequest(
            name: options.name ?? "",
            config: config,
            key: try EngineConnection.newKey(),
            start: launch != nil,
            outputWanted: launch?.wantsOutput ?? false
        )
        let created: EngineV1.CreateResponse
        do { created = try await ask(request) } catch let error as RPCError {
            // It is there, and only its program was not executed.
            if let detail = error.detail, detail.reason.hasPrefix("start_failed") {
                try writeID(detail.subject)
            }
            let code = EngineConnection.startExitCode(error)
            throw engine.failure("\(verb) \(config.image)", error, exitCode: code)
        }
        for warning in created.warnings { Screen.say("WARNING: \(warning)") }
        try writeID(created.id)
        return created
    }

    /// How `run` starts what it has made.
    struct Launch {
        /// It is shown from its first byte.
        let wantsOutput: Bool
    }

    /// - Throws: `RPCError` of the engine; `Failure` of the pull.
    private func ask(_ request: EngineV1.CreateRequest) async throws -> EngineV1.CreateResponse {
        do throws(RPCError) {
            return try await engine.untilAnswered { () async throws(RPCError) in
                try await engine.containers.create(request)
            }
        } catch {
            guard options.pull == "missing", error.code == .notFound,
                ["image_not_found", "platform_mismatch"].contains(error.detail?.reason)
            else { throw error }
        }
        if !options.quiet { Screen.say("Unable to find image '\(config.image)' locally") }
        try await pull()
        return try await engine.untilAnswered { () async throws(RPCError) in
            try await engine.containers.create(request)
        }
    }

    private func writeID(_ id: String) throws {
        guard let path = options.idFile else { return }
        let file = try Files.open(path, [.writeOnly, .create, .exclusive], mode: 0o644)
        try Files.writeAll(file.raw, Array(id.utf8))
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
