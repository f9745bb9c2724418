// SPDX-License-Identifier: Apache-2.0
package import Logging
package import RPC
internal import System

/// A daemon's side of monitoring: what counts its calls, and the endpoint that tells of it. Both only where an address is
/// given.
package struct Monitoring: Sendable {
    /// For the daemon's server.
    package let observers: [any CallObserver]
    private let endpoint: MetricsEndpoint?

    /// - Parameters:
    ///   - option: The address that was given on the command line; nil: that of `PETREL_DAEMON_METRICS`, if there is one.
    ///   - daemon: `image-store`.
    /// - Throws: What is no address. One that cannot be listened on is logged, and the daemon works without metrics: others
    ///   depend on it.
    package init(
        address option: String?,
        daemon: String,
        logger: Logger
    ) throws(MetricsAddress.Failure) {
        let name = daemon.uppercased().map { $0 == "-" ? "_" : String($0) }.joined()
        guard let text = option ?? SystemEnvironment.value(of: "PETREL_\(name)_METRICS"), !text.isEmpty else {
            observers = []
            endpoint = nil
            return
        }
        let place = try MetricsAddress(text)
        let metrics = CallMetrics()
        do throws(SystemError) {
            endpoint = try MetricsEndpoint(at: place, metrics)
            observers = [metrics]
        } catch {
            logger.error("no metrics are served", metadata: ["address": "\(text)", "error": "\(error)"])
            endpoint = nil
            observers = []
        }
    }

    /// Serves until the task is cancelled. Rightly endless otherwise, also where there is nothing to serve.
    package func run() async throws {
        if let endpoint { return try await endpoint.run() }
        let (nothing, _) = AsyncStream.makeStream(of: Never.self)
        for await _ in nothing {}
    }
}
