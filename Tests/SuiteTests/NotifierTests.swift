// SPDX-License-Identifier: Apache-2.0
import Suite
import System
import TestSupport
import Testing

struct NotifierTests {
    @Test func messagesAndDescriptorsArrive() throws {
        try withTemporaryDirectory { path in
            let socket = try UnixSocket.listen(.datagram, at: path + "/notify.sock")
            let notifier = Notifier(address: path + "/notify.sock")
            #expect(notifier.ready(status: "serving"))
            #expect(try text(socket.raw) == "READY=1\nSTATUS=serving\n")

            let pipe = try Pipe()
            #expect(notifier.store(pipe.writeEnd.raw, name: "a.b"))
            let message = try SocketMessages.receive(socket.raw, limit: 4096)
            #expect(String(decoding: message.bytes, as: UTF8.self) == "FDSTORE=1\nFDNAME=a.b\n")
            #expect(message.descriptors.count == 1)
            try Files.writeAll(message.descriptors[0].raw, [42])
            #expect(try Files.readSome(pipe.readEnd.raw, limit: 10) == [42])

            #expect(notifier.removeStored(name: "a.b"))
            #expect(try text(socket.raw) == "FDSTOREREMOVE=1\nFDNAME=a.b\n")
        }
    }

    @Test func aBarrierWaitsUntilItIsRead() throws {
        try withTemporaryDirectory { path in
            let socket = try UnixSocket.listen(.datagram, at: path + "/notify.sock")
            let notifier = Notifier(address: path + "/notify.sock")
            #expect(!notifier.barrier(milliseconds: 20))
            let reader = try socket.duplicate()
            let shared = SharedDescriptor(reader)
            try Threads.start {
                for _ in 0..<2 { _ = try? SocketMessages.receive(shared.raw, limit: 4096) }
            }
            #expect(notifier.barrier(milliseconds: 5_000))
        }
    }

    @Test func nobodyToTellIsNoFailure() {
        #expect(!Notifier.silent.isPresent)
        #expect(!Notifier.silent.ready())
        #expect(!Notifier(address: "/nowhere/notify.sock").ready())
    }

    @Test func aListenerReplacesAStaleSocketAtALongPath() throws {
        try withTemporaryDirectory { path in
            let long = path + "/" + String(repeating: "r", count: 120)
            let location = try SuiteLocation(root: path + "/root", run: long)
            try location.prepare()
            for _ in 0..<2 {
                let listening = try Listener.open(daemon: "engine", at: location, inherited: .none)
                let client = try UnixSocket.connect(.stream, to: location.socket(of: "engine"))
                let server = try StreamSocket.accept(listening.raw)
                try Files.writeAll(client.raw, [7])
                #expect(try Files.readSome(server.raw, limit: 10) == [7])
            }
        }
    }

    private func text(_ socket: Int32) throws -> String {
        String(decoding: try SocketMessages.receive(socket, limit: 4096).bytes, as: UTF8.self)
    }
}
