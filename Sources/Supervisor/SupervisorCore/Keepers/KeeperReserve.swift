// SPDX-License-Identifier: Apache-2.0
internal import Synchronization
package import System

/// A keeper's copy that waits for the next container, and the template that copies are made of: starting a program takes a
/// third of the time that making a container does, and copies share memory.
///
/// Each waits at its connection, and ends with it: so none is left of a supervisor that was killed. Until a copy has a
/// container's id it is called `petrel-waiter`, as the template is, and nobody takes them for keepers. Where no container is
/// made for ten seconds, the copy is let go, and the template too unless there are containers: its memory is not for nothing.
package final class KeeperReserve: Sendable {
    struct Waiting: Sendable {
        let pid: Int32
        let process: SharedDescriptor
        let socket: SharedDescriptor
    }

    /// How long one waits for a container.
    private static let patienceNanos: Int64 = 10_000_000_000

    private struct State {
        /// Its connection.
        var template: SharedDescriptor?
        var waiting: Waiting?
        /// Boot time of the last change.
        var changedNanos: Int64 = 0
        var isWatched = false
        var readsRecordsAnew = false
    }

    private let state = Mutex(State())

    package init() {}

    var isEmpty: Bool { state.withLock { $0.waiting == nil } }

    var template: SharedDescriptor? { state.withLock { $0.template } }

    /// What copies have said of themselves, and is thus true of every keeper that is started from the same file.
    var readsRecordsAnew: Bool {
        get { state.withLock { $0.readsRecordsAnew } }
        set { state.withLock { $0.readsRecordsAnew = newValue } }
    }

    func setTemplate(_ connection: SharedDescriptor) {
        state.withLock { $0.template = connection }
    }

    /// One that has failed.
    func dropTemplate(_ connection: SharedDescriptor) {
        state.withLock { if $0.template === connection { $0.template = nil } }
    }

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

    /// Lets go of what nobody has come for in time, then returns; at once where another task watches already. To be called
    /// again when the last container has gone.
    package func watch(hasContainers: @Sendable () -> Bool) async throws {
        let isFirst = state.withLock { state in
            defer { state.isWatched = true }
            return !state.isWatched
        }
        guard isFirst else { return }
        while true {
            let keepsTemplate = hasContainers()
            let left = state.withLock { state in
                let left = state.changedNanos + Self.patienceNanos - Clock.bootNanos
                guard left <= 0 else { return left }
                (state.waiting, state.isWatched) = (nil, false)
                if !keepsTemplate { state.template = nil }
                return left
            }
            guard left > 0 else { return }
            try await Task.sleep(for: .nanoseconds(left))
        }
    }
}

extension KeeperProgram {
    /// As long as a template may take to make a copy. It has only just started when it is first asked.
    private static let copyNanos: Int64 = 5_000_000_000

    /// Makes a keeper for the next container, unless one waits. Blocks for some milliseconds.
    package func replenish() throws(SystemError) {
        guard reserve.isEmpty else { return }
        if reserve.template == nil { reserve.setTemplate(try startTemplate()) }
        if let waiting = try copy() { reserve.put(waiting) }
    }

    private func startTemplate() throws(SystemError) -> SharedDescriptor {
        let pair = try SequencedSocket.pair()
        let nobody = ContainerDirectory(
            id: .nobody,
            parent: containersPath,
            runParent: runContainersPath
        )
        _ = try startKeeper(KeeperProgram.waiterName, nobody, ["--wait"], pair.second.raw)
        return SharedDescriptor(try SystemEnvironment.duplicate(pair.first.raw))
    }

    /// A keeper that waits for its container's id. Blocks for less than a millisecond once the template has started.
    /// - Returns: nil when there is no template, or it makes none.
    private func copy() throws(SystemError) -> KeeperReserve.Waiting? {
        guard let template = reserve.template else { return nil }
        let socket = try requestCopy(of: template)
        var entries = [Poll.Entry(socket.raw)]
        let deadline = Clock.bootNanos + Self.copyNanos
        repeat {
            try Poll.wait(&entries, deadlineNanos: deadline)
        } while entries[0].found.isEmpty && Clock.bootNanos < deadline
        guard !entries[0].found.isEmpty, let message = try? SocketMessages.receive(socket.raw, limit: 32),
            let number = message.bytes.split(separator: UInt8(ascii: " ")).first,
            let pid = Int32(String(decoding: number, as: UTF8.self)),
            let process = message.descriptors.first
        else {
            reserve.dropTemplate(template)
            return nil
        }
        reserve.readsRecordsAnew = message.bytes.dropFirst(number.count).elementsEqual(" anew".utf8)
        return KeeperReserve.Waiting(pid: pid, process: process, socket: socket)
    }

    /// - Returns: A connection to the copy, which ends when there will be none.
    private func requestCopy(of template: SharedDescriptor) throws(SystemError) -> SharedDescriptor {
        let pair = try SequencedSocket.pair()
        // One that is gone leaves the connection without another end.
        try? SocketMessages.send(template.raw, [0], descriptors: [pair.second.raw])
        return SharedDescriptor(try SystemEnvironment.duplicate(pair.first.raw))
    }

    /// Gives a waiting keeper its container.
    /// - Returns: nil when there is none, or it has died.
    func appoint(to directory: ContainerDirectory) -> KeeperLink? {
        guard let keeper = reserve.take() ?? (try? copy()) else { return nil }
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
