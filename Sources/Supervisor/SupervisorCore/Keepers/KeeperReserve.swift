// SPDX-License-Identifier: Apache-2.0
internal import Synchronization
package import System

/// One keeper that was started before there is a container for it, since starting a program takes a third of the time that
/// making a container does.
///
/// It waits at its connection for a container's id, and ends with the connection: so none is left of a supervisor that was
/// killed. Until it has an id it is called `petrel-waiter`, and nobody takes it for a keeper. Where no container is made for
/// ten seconds, it is let go: its memory is not for nothing.
package final class KeeperReserve: Sendable {
    struct Waiting: Sendable {
        let pid: Int32
        let process: SharedDescriptor
        let socket: SharedDescriptor
    }

    /// How long one waits for a container.
    private static let patienceNanos: Int64 = 10_000_000_000

    private struct State {
        var waiting: Waiting?
        /// Boot time of the last change.
        var changedNanos: Int64 = 0
        var isWatched = false
    }

    private let state = Mutex(State())

    package init() {}

    var isEmpty: Bool { state.withLock { $0.waiting == nil } }

    /// One too many ends.
    func put(_ keeper: Waiting) {
        state.withLock { state in
            guard state.waiting == nil else { return }
            state.waiting = keeper
            state.changedNanos = Clock.bootNanos
        }
    }

    func take() -> Waiting? {
        state.withLock { state in
            defer { state.waiting = nil }
            state.changedNanos = Clock.bootNanos
            return state.waiting
        }
    }

    /// Lets go of one for which nobody has come in time, then returns; at once where another task watches already.
    package func watch() async throws {
        let isFirst = state.withLock { state in
            defer { state.isWatched = true }
            return !state.isWatched
        }
        guard isFirst else { return }
        while true {
            let left = state.withLock { state in
                let left = state.changedNanos + Self.patienceNanos - Clock.bootNanos
                if left <= 0 { (state.waiting, state.isWatched) = (nil, false) }
                return left
            }
            guard left > 0 else { return }
            try await Task.sleep(for: .nanoseconds(left))
        }
    }
}

extension KeeperProgram {
    /// Starts a keeper for the next container, unless one waits. Blocks for some milliseconds.
    package func replenish() throws(SystemError) {
        guard reserve.isEmpty else { return }
        let pair = try SequencedSocket.pair()
        let nobody = ContainerDirectory(
            id: .nobody,
            parent: containersPath,
            runParent: runContainersPath
        )
        let child = try startKeeper(KeeperProgram.waiterName, nobody, ["--wait"], pair.second.raw)
        let waiting = KeeperReserve.Waiting(
            pid: child.pid,
            process: SharedDescriptor(try child.process.duplicate()),
            socket: SharedDescriptor(try SystemEnvironment.duplicate(pair.first.raw))
        )
        reserve.put(waiting)
    }

    /// Gives a waiting keeper its container.
    /// - Returns: nil when there is none, or it has died.
    func appoint(to directory: ContainerDirectory) -> KeeperLink? {
        guard let keeper = reserve.take() else { return nil }
        do throws(SystemError) {
            let socket = SequencedSocket(adopting: try SystemEnvironment.duplicate(keeper.socket.raw))
            try socket.send(Array(directory.id.text.utf8))
            return KeeperLink(
                pid: keeper.pid,
                process: keeper.process,
                connection: try KeeperConnection(socket, poller: poller)
            )
        } catch {
            try? ProcessHandle.signal(keeper.process.raw, .kill)
            return nil
        }
    }
}
