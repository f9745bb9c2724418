// SPDX-License-Identifier: Apache-2.0

/// A method that is served.
final class ServedMethod: Sendable {
    /// `/petrel.engine.v1.Containers/Create`.
    let path: String
    let run: @Sendable (CallStream, CallContext) async throws -> Void
    /// Its handlers run on the event loop.
    let isQuick: Bool
    let awaitsRequest: Bool

    init(_ method: RPCMethod, at path: String, isQuick: Bool) {
        self.path = path
        run = method.run
        awaitsRequest = method.awaitsRequest
        self.isQuick = isQuick
    }
}
