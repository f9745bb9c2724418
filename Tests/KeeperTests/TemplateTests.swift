// SPDX-License-Identifier: Apache-2.0
import Glibc
import Messages
import System
import Testing

/// A template, started as the supervisor starts it.
final class TestTemplate {
    struct Copy {
        let pid: Int32
        let process: SharedDescriptor
        let socket: SharedDescriptor
    }

    let process: SharedDescriptor
    let pid: Int32
    private var socket: SharedDescriptor?

    init(parent: String, runParent: String) throws {
        let pair = try UnixSocket.pair(.sequencedPacket)
        socket = SharedDescriptor(try pair.first.duplicate())
        let nobody = "/" + String(repeating: "0", count: 64)
        let child = try Spawn(
            path: try TestContainer.keeperPath(),
            name: "petrel-waiter",
            arguments: ["--container", parent + nobody, "--run", runParent + nobody, "--wait"],
            environment: [ProgramMemory.keepingNothing],
            descriptors: [3: pair.second.raw],
            newSession: true
        ).start()
        pid = child.pid
        process = SharedDescriptor(try child.process.duplicate())
    }

    deinit {
        close()
        _ = awaitEnd(of: process)
    }

    func close() { socket = nil }

    func copy() throws -> Copy {
        let pair = try UnixSocket.pair(.sequencedPacket)
        guard let socket else { throw TestFailure("closed") }
        try SocketMessages.send(socket.raw, [0], descriptors: [pair.second.raw])
        let mine = SharedDescriptor(try pair.first.duplicate())
        let message = try SocketMessages.receive(mine.raw, limit: 32)
        // What supervisors rely on: it reads its container's record anew for each run.
        let words = String(decoding: message.bytes, as: UTF8.self).split(separator: " ")
        guard words.count == 2, words[1] == "anew", let pid = Int32(words[0]),
            let process = message.descriptors.first
        else { throw TestFailure("no copy") }
        return Copy(pid: pid, process: process, socket: mine)
    }
}

private func awaitEnd(of process: SharedDescriptor) -> Bool {
    var entries = [Poll.Entry(process.raw)]
    try? Poll.wait(&entries, deadlineNanos: Clock.bootNanos + 20_000_000_000)
    guard !entries[0].found.isEmpty else { return false }
    return (try? ProcessHandle.reap(process.raw)) != nil
}

@Suite(.serialized)
struct TemplateTests {
    private static let script = "while :; do sleep 100; done"

    @Test func aCopyKeepsItsContainerAndIsItsStartersChild() throws {
        let container = try TestContainer("echo out; exit 7")
        let (parent, runParent) = try container.nameByNumber()
        let template = try TestTemplate(parent: parent, runParent: runParent)
        let supervisor = TestSupervisor(container)
        try supervisor.startCopy(of: template)
        let status = try ProcessStatus(of: supervisor.keeper)
        #expect(status.parent == SystemEnvironment.processID)
        #expect(try Files.text(of: "/proc/\(supervisor.keeper)/comm").hasPrefix("petrel-keeper"))
        let arguments = try Files.text(of: "/proc/\(supervisor.keeper)/cmdline").split(separator: "\0")
        #expect(arguments.contains { $0 == parent + "/" + container.number })
        #expect(try supervisor.start().state == .running)
        #expect(try supervisor.event(.exited).record?.waitStatus == 7 << 8)
        #expect(try String(decoding: container.output(), as: UTF8.self) == "out\n")
        // What was rehearsed is nobody's.
        #expect(try container.events().map(\.sequence) == [1, 2])
        #expect(try supervisor.request(.release(KeeperV1.Release())).reply?.failure == nil)
        #expect(supervisor.awaitKeeperEnd())
    }

    @Test func copiesWithoutAContainerEndWithTheirConnectionAndKeepersStay() throws {
        let container = try TestContainer(Self.script)
        let (parent, runParent) = try container.nameByNumber()
        let template = try TestTemplate(parent: parent, runParent: runParent)
        var waiting: TestTemplate.Copy? = try template.copy()
        let supervisor = TestSupervisor(container)
        try supervisor.startCopy(of: template)
        try supervisor.start()
        template.close()
        #expect(awaitEnd(of: template.process))
        let process = try #require(waiting).process
        waiting = nil
        #expect(awaitEnd(of: process))
        #expect(try supervisor.request(.hello(KeeperV1.Hello(release: "test"))).hello?.run?.state == .running)
    }

    @Test func aTemplateLeavesNothingOpenAndNoChild() throws {
        let container = try TestContainer(Self.script)
        let (parent, runParent) = try container.nameByNumber()
        let template = try TestTemplate(parent: parent, runParent: runParent)
        let copy = try template.copy()
        for pid in [template.pid, copy.pid] {
            // The other end of the copy's connection is closed a moment after the copy has it.
            try eventually { try Files.names(in: "/proc/\(pid)/fd").count == 4 }
            #expect(try Files.text(of: "/proc/\(pid)/task/\(pid)/children").isEmpty)
        }
    }

    /// Of pages that it alone has written to; once it has let go of what only the start needed.
    @Test func aCopyOwnsFarLessMemoryThanAProgram() throws {
        let containers = try (0..<2).map { _ in try TestContainer(Self.script) }
        let supervisors = containers.map { TestSupervisor($0) }
        let (parent, runParent) = try containers[0].nameByNumber()
        let template = try TestTemplate(parent: parent, runParent: runParent)
        try supervisors[0].startCopy(of: template)
        try supervisors[1].startKeeper()
        for supervisor in supervisors { try supervisor.start() }
        try eventually(within: 10) {
            let own = try supervisors.map { try ownKilobytes(of: $0.keeper) }
            return own[0] * 3 < own[1] * 2
        }
    }

    private func ownKilobytes(of pid: Int32) throws -> Int {
        let text = try Files.text(of: "/proc/\(pid)/smaps_rollup")
        let line = text.split(separator: "\n").first { $0.hasPrefix("Private_Dirty:") }
        return line.flatMap { Int($0.split(separator: " ")[1]) } ?? .max
    }
}
