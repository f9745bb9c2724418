// SPDX-License-Identifier: Apache-2.0
import Events
import RPC
import Suite
import Synchronization
import System

/// The way to the engine, begun on the event loop's thread while the first one reads the command line.
enum EarlyConnection {
    private static let begun = Mutex<(socket: String, channel: Channel)?>(nil)
    /// They ask the engine nothing, or do not need to be quick.
    private static let others = ["help", "completion", "man", "rpc", "system", "__complete"]

    /// Commands that wait for nobody but the engine: they run on the thread that moves its bytes, so that no answer has to wake
    /// another one. All others may hold up their thread: with a disk, or a terminal that asks.
    private static let quick = [
        "create", "exec", "images", "inspect", "kill", "pause", "port", "ps", "rename", "restart", "rm", "run", "start",
        "stop", "top", "unpause", "update", "wait",
    ]

    /// Where the command's task runs; nil: in the shared pool.
    static var executor: EventLoop? {
        guard let word = CommandLine.arguments.dropFirst().first, quick.contains(word) else { return nil }
        return .shared
    }

    /// - Parameter arguments: The program's name first. Where they name a suite, nothing is begun: only the parser knows
    ///   which one.
    static func begin(_ arguments: [String]) {
        guard let word = arguments.dropFirst().first, !word.hasPrefix("-"), !others.contains(word),
            !arguments.contains(where: { $0.hasPrefix("--root") || $0.hasPrefix("--run") }),
            let location = try? SuiteLocation()
        else { return }
        let socket = location.socket(of: "engine")
        let channel = Channel(unixSocket: socket)
        begun.withLock { $0 = (socket, channel) }
        channel.connectAhead()
    }

    /// The channel to a socket: the early one, if it is that one's.
    static func channel(to socket: String) -> Channel {
        let early = begun.withLock { begun in
            defer { begun = nil }
            return begun
        }
        guard let early, early.socket == socket else { return Channel(unixSocket: socket) }
        return early.channel
    }
}
