// SPDX-License-Identifier: Apache-2.0
import Messages
import RPC
import Rendering
import Services

/// Copies a container's output to ours, and goes on after the last byte when the engine was restarted in between.
struct OutputFollower: Sendable {
    private let engine: EngineConnection
    private var request: EngineV1.LogsRequest

    init(engine: EngineConnection, request: EngineV1.LogsRequest) {
        self.engine = engine
        self.request = request
    }

    /// Ends with the output, as the request defines it.
    /// - Parameter endsWhenRemoved: Whether the container may go meanwhile (`--rm`), which is an end too.
    /// - Parameter begun: Called with each message; the first says that the reading has begun.
    mutating func run(endsWhenRemoved: Bool = false, begun: () -> Void = {}) async throws(Failure) {
        let what = "logs of \(request.container)"
        var interruptions = Interruptions()
        var isCutOff = false
        while true {
            do throws(RPCError) {
                return try await copy(begun)
            } catch {
                if endsWhenRemoved, error.code == .notFound {
                    if isCutOff {
                        Screen.say(
                            "petrel: \(what): it was removed while the engine was away; the last of them may be missing"
                        )
                    }
                    return
                }
                isCutOff = true
                guard interruptions.count(error) else { throw engine.failure(what, error) }
                try await engine.comeBack(what, after: error)
            }
        }
    }

    private mutating func copy(_ begun: () -> Void) async throws(RPCError) {
        let responses = try await engine.containers.logs(request)
        while let response = try await responses.next() {
            if response.skippedBytes > 0 {
                Screen.say(
                    "petrel: about \(HumanSize.decimal(response.skippedBytes)) of output were rotated away unread"
                )
            }
            if !response.data.isEmpty {
                await Screen.copy(response.data, to: response.stream == 2 ? 2 : 1)
            }
            begun()
            guard !response.position.isEmpty else { continue }
            // The position knows how far the tail was; asking for one again would skip what came meanwhile.
            request.afterPosition = response.position
            request.tail = nil
            request.fromEnd = false
        }
    }
}
