// SPDX-License-Identifier: Apache-2.0
package import NIOCore
internal import NIOPosix
internal import System

/// The thread that moves bytes, for the life of the process; made when first used.
///
/// One serves all connections, and is quick to start for the command line: a daemon's handlers that run on it then talk
/// to their clients and to their peers without waking another thread.
package enum EventLoops {
    package static let all: any EventLoopGroup = {
        ProgramMemory.keepFree()
        return MultiThreadedEventLoopGroup(numberOfThreads: 1)
    }()
}
