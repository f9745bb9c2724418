// SPDX-License-Identifier: Apache-2.0
internal import NIOCore
internal import NIOPosix

/// The threads that move bytes, for the life of the process; made when first used.
enum EventLoops {
    static let servers: any EventLoopGroup = MultiThreadedEventLoopGroup(
        numberOfThreads: min(max(System.coreCount, 2), 4)
    )
    /// One is enough for a daemon's calls to its peers, and quick to start for the command line.
    static let clients: any EventLoopGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)
}
