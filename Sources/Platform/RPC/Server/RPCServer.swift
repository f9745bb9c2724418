// SPDX-License-Identifier: Apache-2.0
package import Logging
package import System

package final class RPCServer: Sendable {
    package init(services: [any RPCService], logger: Logger) {}
    package func serve(listening descriptor: consuming Descriptor) async throws {}
    package func gracefulShutdown() {}
}
