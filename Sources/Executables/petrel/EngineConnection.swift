// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import RPC
import Rendering
import Services
import Suite
import System

/// The engine, as commands call it: one channel, errors as users read them, and patience while it is restarted.
struct EngineConnection: Sendable {
    let location: SuiteLocation
    let containers: EngineV1.ContainersClient
    let images: EngineV1.ImagesClient
    let system: EngineV1.SystemClient

    /// How long a call that was interrupted waits for the engine to be back.
    private static let patience = Duration.seconds(60)

    init(_ location: SuiteLocation) {
        self.location = location
        let channel = EarlyConnection.channel(to: location.socket(of: "engine"))
        containers = EngineV1.ContainersClient(channel: channel)
        images = EngineV1.ImagesClient(channel: channel)
        system = EngineV1.SystemClient(channel: channel)
    }

    /// One call that must not be repeated blindly.
    /// - Parameter what: For the message of a failure: `stop web`.
    func once<Response>(_ what: String, _ call: () async throws(RPCError) -> Response) async throws(Failure)
        -> Response
    {
        do throws(RPCError) { return try await call() } catch { throw failure(what, error) }
    }

    /// A call that may be repeated: it is, once the engine is back, when it was interrupted.
    func repeating<Response>(
        _ what: String,
        _ call: () async throws(RPCError) -> Response
    ) async throws(Failure) -> Response {
        do throws(RPCError) { return try await untilAnswered(call) } catch { throw failure(what, error) }
    }

    /// The same, with the engine's own error when it refuses.
    func untilAnswered<Response>(
        _ call: () async throws(RPCError) -> Response
    ) async throws(RPCError) -> Response {
        var interruptions = Interruptions()
        while true {
            do throws(RPCError) { return try await call() } catch {
                guard interruptions.count(error) else { throw error }
                try await comeBack(after: error)
            }
        }
    }

    /// A key by which the engine knows a repeated request for the one that was interrupted; of the form of an id.
    static func newKey() throws(SystemError) -> String {
        try SystemEnvironment.randomHexadecimal(bytes: 32)
    }

    /// A call that the engine refuses when it was done already: repeated after an interruption, such a refusal says that
    /// the first attempt did it.
    /// - Parameter reason: Of the refusal, as its details have it.
    func changing<Response>(
        _ what: String,
        unless reason: String,
        _ call: () async throws(RPCError) -> Response
    ) async throws(Failure) {
        var isRepeated = false
        _ = try await repeating(what) { () async throws(RPCError) -> Response? in
            defer { isRepeated = true }
            do throws(RPCError) { return try await call() } catch {
                guard isRepeated, error.detail?.reason == reason else { throw error }
                return nil
            }
        }
    }

    /// Waits until the engine answers again.
    /// - Throws: at once when nobody would restart it.
    func comeBack(_ what: String, after error: RPCError) async throws(Failure) {
        do throws(RPCError) { try await comeBack(after: error) } catch { throw failure(what, error) }
    }

    private func comeBack(after error: RPCError) async throws(RPCError) {
        guard isRestarted else { throw error }
        do throws(RPCError) {
            // A dead engine's socket takes connections before the next engine is there, so a moment may pass between
            // two attempts without anybody having to ask for it; this bounds how often they are made.
            try? await Task.sleep(for: .milliseconds(20))
            _ = try await system.version(
                EngineV1.VersionRequest(),
                options: CallOptions(timeout: Self.patience, waitForReady: true)
            )
        } catch {
            guard error.code != .unavailable else { return }
            throw error
        }
    }

    /// Whether petrel-init is there to start the engine again.
    private var isRestarted: Bool {
        (try? UnixSocket.connect(.sequencedPacket, to: location.socket(of: "init"))) != nil
    }

    /// What the user reads.
    func failure(_ what: String, _ error: RPCError, exitCode: Int32 = 1) -> Failure {
        let detail = error.detail
        guard error.code == .unavailable, detail == nil else {
            let why = error.message.isEmpty ? error.code.description : error.message
            return Failure(what, why, advice: detail?.advice ?? "", exitCode: exitCode)
        }
        let socket = location.socket(of: "engine")
        if !Files.exists(socket) {
            return Failure(
                what,
                "no engine at \(socket)",
                advice:
                    "Start the daemons with 'petrel system start', or give --root and --run of a suite that runs.",
                exitCode: exitCode
            )
        }
        if error.message.hasSuffix("EACCES") {
            return Failure(
                what,
                "permission denied at \(socket)",
                advice: "Be root, or a member of the group petrel, which may do as much.",
                exitCode: exitCode
            )
        }
        return Failure(
            what,
            "the engine does not answer at \(socket): \(error.message)",
            advice: "See 'petrel system status'.",
            exitCode: exitCode
        )
    }
}

/// Tells a call that the engine's end cut off from one that the engine refused, and bounds how often one is repeated.
struct Interruptions: Sendable {
    private var left = 10
    private var lastNanos: Int64 = 0

    /// - Returns: Whether to try again. An engine that lived for a while between two interruptions begins a new count.
    mutating func count(_ error: RPCError) -> Bool {
        // What the engine itself says has details; a broken connection has none.
        guard error.code == .unavailable, error.detail == nil else { return false }
        let now = Clock.bootNanos
        left = now - lastNanos > 2_000_000_000 ? 10 : left - 1
        lastNanos = now
        return left > 0
    }
}

/// A command that calls the engine.
protocol EngineCommand: AsyncParsableCommand {
    var place: PlaceOptions { get }
    func run(_ engine: EngineConnection) async throws
}

extension EngineCommand {
    mutating func run() async throws {
        try await run(EngineConnection(place.location()))
    }
}
