// SPDX-License-Identifier: Apache-2.0
import Glibc
import Messages
import System

struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// What a supervisor is to one keeper, and no more: starts it, holds second copies, sends requests, starts the next.
final class TestSupervisor {
    struct Held {
        let name: KeeperV1.NamedDescriptor
        let descriptor: SharedDescriptor
    }

    let container: TestContainer
    private(set) var keeper: Int32 = 0
    private var keeperProcess: SharedDescriptor?
    private var socket: SharedDescriptor?
    var held: [Held] = []
    var events: [KeeperV1.Event] = []
    var lastHello: KeeperV1.HelloReply?
    /// Whether custody is acknowledged, as a supervisor does.
    var acknowledges = true
    private var nextID: UInt64 = 1
    /// Lets the supervisor's connection serve as its own (`supervisor.raw`).
    var raw: Int32 { socket?.raw ?? -1 }

    init(_ container: TestContainer) { self.container = container }

    /// A further connection to the keeper that `other` has started.
    init(_ container: TestContainer, connectingTo other: TestSupervisor) throws {
        self.container = container
        keeper = other.keeper
        let descriptor = try UnixSocket.connect(.sequencedPacket, to: container.runDirectory + "/keeper.sock")
        socket = SharedDescriptor(descriptor)
        lastHello = try request(.hello(KeeperV1.Hello(release: "test"))).hello
    }

    deinit { if keeperProcess != nil { kill() } }

    // MARK: - The keeper's process

    func startKeeper(adopts: Bool = false) throws {
        let pair = try UnixSocket.pair(.sequencedPacket)
        let mine = SharedDescriptor(try pair.first.duplicate())
        UnixSocket.setSendBuffer(mine.raw, bytes: 4 << 20)
        let arguments =
            ["--container", container.directory, "--run", container.runDirectory]
            + (adopts ? ["--adopt"] : []) + ["--fault-points", container.faults]
        let log = try Files.open(container.base + "/keeper.log", [.writeOnly, .create, .append])
        let spawn = Spawn(
            path: try TestContainer.keeperPath(),
            arguments: arguments,
            descriptors: [2: log.raw, 3: pair.second.raw],
            newSession: true
        )
        let child = try spawn.start()
        keeper = child.pid
        keeperProcess = SharedDescriptor(try child.process.duplicate())
        socket = mine
        lastHello = try request(.hello(KeeperV1.Hello(release: "test"))).hello
    }

    /// Has the template make a copy, and tells it the container, whose directories end with its `number`.
    func startCopy(of template: TestTemplate) throws {
        let copy = try template.copy()
        keeper = copy.pid
        keeperProcess = copy.process
        socket = copy.socket
        UnixSocket.setSendBuffer(copy.socket.raw, bytes: 4 << 20)
        try SocketMessages.send(copy.socket.raw, Array(container.number.utf8))
        lastHello = try request(.hello(KeeperV1.Hello(release: "test"))).hello
    }

    /// SIGKILL, and waits for its end.
    func kill() {
        guard let process = keeperProcess else { return }
        try? ProcessHandle.signal(process.raw, .kill)
        awaitKeeperEnd()
    }

    /// Waits until the keeper has ended (a fault point was armed, or it was released).
    @discardableResult
    func awaitKeeperEnd(within seconds: Double = 20) -> Bool {
        guard let process = keeperProcess else { return true }
        var entries = [Poll.Entry(process.raw)]
        try? Poll.wait(&entries, deadlineNanos: Clock.bootNanos + Int64(seconds * 1e9))
        guard !entries[0].found.isEmpty else { return false }
        try? ProcessHandle.reap(process.raw)
        receiveRest()
        (keeperProcess, socket) = (nil, nil)
        return true
    }

    /// Starts the next keeper, and hands it what is held.
    func adopt() throws {
        try startKeeper(adopts: true)
        let answer = try request(
            .adopt(KeeperV1.Adopt(descriptors: held.map(\.name))),
            descriptors: held.map(\.descriptor)
        )
        guard answer.reply != nil else { throw TestFailure("no reply to adopt") }
    }

    func killAndAdopt() throws {
        kill()
        try adopt()
    }

    // MARK: - Requests

    struct Answer {
        var reply: KeeperV1.Reply?
        var hello: KeeperV1.HelloReply?
    }

    /// Sends a request and returns its answer; custody and events that come meanwhile are taken as a supervisor does.
    @discardableResult
    func request(
        _ body: KeeperV1.Packet.Body,
        descriptors: [SharedDescriptor] = [],
        within seconds: Double = 20
    ) throws -> Answer {
        let id = try send(body, descriptors: descriptors)
        return try answer(to: id, within: seconds)
    }

    func send(_ body: KeeperV1.Packet.Body, descriptors: [SharedDescriptor] = []) throws -> UInt64 {
        let id = nextID
        nextID += 1
        guard let socket else { throw TestFailure("no keeper") }
        let bytes = KeeperV1.Packet(id: id, body: body).serialized()
        try SocketMessages.send(socket.raw, bytes, descriptors: descriptors.map(\.raw))
        return id
    }

    func answer(to id: UInt64, within seconds: Double = 20) throws -> Answer {
        let deadline = Clock.bootNanos + Int64(seconds * 1e9)
        while true {
            guard let packet = try receive(deadline: deadline) else {
                throw TestFailure("no answer to request \(id)")
            }
            switch packet.body {
            case .reply(let reply): if packet.id == id { return Answer(reply: reply) }
            case .helloReply(let hello): if packet.id == id { return Answer(hello: hello) }
            default: break
            }
        }
    }

    @discardableResult
    func start(run: UInt64 = 1) throws -> KeeperV1.RunRecord {
        guard let record = try request(.start(KeeperV1.Start(run: run))).reply?.record else {
            throw TestFailure("no record in the reply to start")
        }
        return record
    }

    /// Waits for an event; those that came before count.
    func event(_ kind: KeeperV1.Event.Kind, execID: String = "", within seconds: Double = 20) throws
        -> KeeperV1.Event
    {
        let deadline = Clock.bootNanos + Int64(seconds * 1e9)
        while true {
            // What was sent on the connection of a keeper killed since is lost there; the file has it, and the real
            // supervisor reads it after each adoption. (Of init it has earlier runs' events, too; an exec has one run.)
            let known = execID.isEmpty ? events : events + ((try? container.events()) ?? [])
            if let event = known.first(where: { $0.kind == kind && $0.record?.execId ?? "" == execID }) {
                return event
            }
            guard Clock.bootNanos < deadline else { throw TestFailure("no event \(kind)") }
            if try receive(deadline: min(deadline, Clock.bootNanos + 200_000_000)) == nil { usleep(10_000) }
        }
    }

    /// Takes one packet; nil when the time is over or the keeper is gone.
    private func receive(deadline: Int64) throws -> KeeperV1.Packet? {
        guard let socket else { throw TestFailure("no keeper") }
        while true {
            var entries = [Poll.Entry(socket.raw)]
            try Poll.wait(&entries, deadlineNanos: deadline)
            if entries[0].found.contains(.readable) { break }
            if !entries[0].found.isEmpty || Clock.bootNanos >= deadline { return nil }
        }
        let message = try SocketMessages.receive(socket.raw, limit: 4 << 20)
        guard !message.bytes.isEmpty else { return nil }
        let packet = try KeeperV1.Packet(serialized: message.bytes)
        try take(packet, message.descriptors)
        return packet
    }

    private func receiveRest() {
        while (try? receive(deadline: Clock.bootNanos)) ?? nil != nil {}
    }

    private func take(_ packet: KeeperV1.Packet, _ descriptors: [SharedDescriptor]) throws {
        switch packet.body {
        case .custody(let custody):
            held.removeAll { $0.name.execId == custody.execId }
            held += zip(custody.descriptors, descriptors).map { Held(name: $0, descriptor: $1) }
            guard acknowledges, packet.id == 0 else { return }
            _ = try send(.custodyHeld(KeeperV1.CustodyHeld(run: custody.run, execId: custody.execId)))
        case .stdinClosed(let closed):
            held.removeAll {
                [.stdinWrite, .stdinStage].contains($0.name.role) && $0.name.execId == closed.execId
            }
        case .event(let event): events.append(event)
        default: break
        }
    }
}
