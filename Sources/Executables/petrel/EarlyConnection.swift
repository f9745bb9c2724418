// SPDX-License-Identifier: Apache-2.0
import RPC
import Suite
import Synchronization
import System

/// The way to the engine, which is known before the command line is read.
enum EarlyConnection {
    private static let begun = Mutex<(socket: String, channel: Channel)?>(nil)
    /// They ask the engine nothing, or do not need to be quick.
    private static let others = ["help", "completion", "man", "rpc", "system", "__complete"]

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
