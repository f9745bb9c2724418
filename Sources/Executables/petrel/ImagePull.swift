// SPDX-License-Identifier: Apache-2.0
import Messages
import RPC
import Rendering
import Services
import System

/// Pulling an image, or loading one: shows the engine's progress until it is done.
struct ImagePull {
    let engine: EngineConnection
    let reference: String
    /// Empty: this machine's.
    var platform = ""
    let isQuiet: Bool

    /// - Returns: The last message about a finished image.
    func run() async throws(Failure) -> EngineV1.ProgressResponse? {
        // Pulling is idempotent: what was downloaded before an interruption is kept by the image store.
        try await engine.repeating("pull \(reference)") { () async throws(RPCError) in
            let responses = try await engine.images.pull(
                EngineV1.PullRequest(reference: reference, platform: platform)
            )
            var display = ProgressDisplay(isQuiet: isQuiet)
            var finished: EngineV1.ProgressResponse?
            while let response = try await responses.next() {
                display.show(response)
                if !response.imageId.isEmpty { finished = response }
            }
            return finished
        }
    }
}

/// Progress on standard error: redrawn bars on a terminal, one line for each change of state elsewhere.
struct ProgressDisplay {
    private let isQuiet: Bool
    private let isTerminal = Screen.isErrorTerminal
    private let width = Screen.width
    private var progress = Progress()
    private var block = ScreenBlock()
    private var lastDrawn: Int64 = 0

    init(isQuiet: Bool) { self.isQuiet = isQuiet }

    mutating func show(_ response: EngineV1.ProgressResponse) {
        guard !isQuiet, !response.status.isEmpty else { return }
        let isNew = progress.update(
            id: response.id,
            status: response.status,
            current: response.currentBytes,
            total: response.totalBytes
        )
        if isTerminal {
            // 20 frames a second are enough, except that a change of state is never held back.
            let now = Clock.bootNanos
            guard isNew || now - lastDrawn > 50_000_000 else { return }
            lastDrawn = now
            Screen.write(block.replace(with: progress.lines(width: width)), to: 2)
        } else if isNew {
            Screen.say(response.id.isEmpty ? response.status : "\(response.id): \(response.status)")
        }
    }
}
