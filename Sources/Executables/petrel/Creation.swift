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
        if let path = options.idFile, Files.exists(path) { throw IDFile.isThere(path, what) }
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
            throw engine.failure(what, error, exitCode: EngineConnection.startExitCode(error))
        }
        for warning in created.warnings { Screen.say("WARNING: \(warning)") }
        // An engine of before there were starts in a creation.
        if launch != nil, !created.started { try await engine.start(created.id, called: created.name) }
        return created
    }

    private var what: String { "\(verb) \(config.image)" }

    /// How `run` starts what it has made.
    struct Launch {
        /// It is shown from its first byte.
        let wantsOutput: Bool
    }

    /// - Throws: `RPCError` of the engine; `Failure` of the pull, or of the id's file.
    private func ask(_ request: EngineV1.CreateRequest) async throws -> EngineV1.CreateResponse {
        do { return try await attempt(request) } catch let error as RPCError {
            guard options.pull == "missing", error.code == .notFound,
                ["image_not_found", "platform_mismatch"].contains(error.detail?.reason)
            else { throw error }
        }
        if !options.quiet { Screen.say("Unable to find image '\(config.image)' locally") }
        try await pull()
        return try await attempt(request)
    }

    private func attempt(_ request: EngineV1.CreateRequest) async throws -> EngineV1.CreateResponse {
        let idFile = try IDFile(options.idFile, for: what)
        do throws(RPCError) {
            let created = try await engine.untilAnswered { () async throws(RPCError) in
                try await engine.containers.create(request)
            }
            idFile?.write(created.id)
            return created
        } catch {
            // It is there, and only its program was not executed.
            if let detail = error.detail, detail.reason.hasPrefix("start_failed") {
                idFile?.write(detail.subject)
            }
            throw error
        }
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

/// The file of `--cidfile`: made right before the container, so that none is left of which nobody can be told the id.
private final class IDFile {
    private let path: String
    private let file: Descriptor
    private var isWritten = false

    static func isThere(_ path: String, _ what: String) -> Failure {
        Failure(what, "the file \(path) exists already", exitCode: 125)
    }

    /// - Parameter what: For the message of a failure.
    init?(_ path: String?, for what: String) throws(Failure) {
        guard let path else { return nil }
        do throws(SystemError) {
            file = try Files.open(path, [.writeOnly, .create, .exclusive], mode: 0o644)
        } catch {
            guard error.code != ErrorNumber.exists else { throw Self.isThere(path, what) }
            throw Failure(what, "\(error)", exitCode: 125)
        }
        self.path = path
    }

    /// The container is there: that its id cannot be written is only told.
    func write(_ id: String) {
        isWritten = true
        do throws(SystemError) { try Files.writeAll(file.raw, Array(id.utf8)) } catch {
            Screen.say("petrel: --cidfile \(path): \(error); the container is \(id)")
        }
    }

    deinit { if !isWritten { try? Files.unlink(path) } }
}
