// SPDX-License-Identifier: Apache-2.0
import Messages
import RPC
import Services

/// Keeps a container's terminal, or an exec's, as large as ours.
struct Window: Sendable {
    let engine: EngineConnection
    let container: String
    /// Empty: the container's own.
    var execID = ""

    /// Rightly endless; ends by cancellation.
    func follow() async {
        let changes = Signals.shared.windowChanges()
        await set(Console.size)
        for await _ in changes { await set(Console.size) }
    }

    /// Makes a program that is in the middle of something draw its screen, or its prompt, again.
    func redraw() async {
        guard var size = Console.size else { return }
        size.columns += 1
        size.rows += 1
        await set(size)
    }

    /// A terminal that is gone, or an engine that is away, has no size to be set.
    private func set(_ size: EngineV1.ConsoleSize?) async {
        guard let size else { return }
        let request = EngineV1.ResizeTerminalRequest(container: container, execId: execID, size: size)
        let options = CallOptions(timeout: .seconds(30), waitForReady: true)
        _ = try? await engine.containers.resizeTerminal(request, options: options)
    }
}
