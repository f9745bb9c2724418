// SPDX-License-Identifier: Apache-2.0
import JSON
import Messages
import RPC
import Rendering
import Services

/// What one has to know of a container to attach to it.
struct AttachedContainer {
    let id: String
    let isRunning: Bool
    let hasTerminal: Bool
    let opensStdin: Bool
    let isRemovedAtEnd: Bool

    init(_ name: String, _ engine: EngineConnection) async throws(Failure) {
        let request = EngineV1.InspectRequest(object: name)
        let answer = try await engine.repeating("attach to \(name)") { () async throws(RPCError) in
            try await engine.containers.inspect(request)
        }
        guard let found = try? JSON(parsing: answer.json), let id = found["Id"]?.string else {
            throw Failure("attach to \(name)", "the engine's answer cannot be read")
        }
        self.id = id
        isRunning = found["State"]?["Running"]?.bool ?? false
        hasTerminal = found["Config"]?["Tty"]?.bool ?? false
        opensStdin = found["Config"]?["OpenStdin"]?.bool ?? false
        isRemovedAtEnd = found["HostConfig"]?["AutoRemove"]?.bool ?? false
    }
}
