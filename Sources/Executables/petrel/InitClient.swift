// SPDX-License-Identifier: Apache-2.0
import Messages
import Rendering
import Suite
import System

/// petrel-init, over its control socket; and starting it where it does not run.
struct InitClient: Sendable {
    let location: SuiteLocation

    static let daemons = ["image-store", "supervisor", "engine"]

    /// Nil when petrel-init does not run.
    /// - Throws: what petrel-init refused, and why.
    func ask(_ request: InitV1.Request, what: String) throws(Failure) -> InitV1.Reply? {
        let socket: SequencedSocket
        do throws(SystemError) {
            socket = try SequencedSocket.connect(to: location.socket(of: "init"))
        } catch {
            switch error.name {
            case "ENOENT", "ECONNREFUSED": return nil
            case "EACCES", "EPERM": throw Failure(what, "only root may control the daemons")
            default: throw Failure(what, "petrel-init cannot be reached: \(error)")
            }
        }
        let reply: InitV1.Reply
        do {
            // A message of no bytes is the end of a connection, and a status request without fields would be one.
            var request = request
            if request.timeoutMillis == 0 { request.timeoutMillis = 60_000 }
            try socket.send(request.serialized())
            guard let message = try socket.receive() else {
                throw SystemError("recvmsg", path: location.socket(of: "init"), code: 104)
            }
            reply = try InitV1.Reply(serialized: message.bytes)
        } catch {
            throw Failure(
                what,
                "petrel-init did not answer: \(error)",
                advice: "See \(location.log(of: "init"))."
            )
        }
        guard reply.error.isEmpty else { throw Failure(what, reply.error) }
        return reply
    }

    /// Starts petrel-init, which starts all daemons; returns once it takes requests.
    /// - Parameter faultPoints: For tests.
    func launch(executables: String?, faultPoints: String?, what: String) async throws {
        try location.prepare()
        let folder = try executables ?? Files.parentPath(of: Files.link(at: "/proc/self/exe"))
        let log = try Files.open(location.log(of: "init"), [.writeOnly, .create, .append], mode: 0o640)
        var arguments = ["--root", location.root, "--run", location.run, "--bin", folder]
        if let faultPoints { arguments += ["--fault-points", faultPoints] }
        let logged = try Files.size(of: log.raw)
        let child: Spawn.Child
        do throws(SystemError) {
            // In a session of its own, and of no child that anybody waits for: it goes on when this program ends.
            child = try Spawn(
                path: folder + "/petrel-init",
                arguments: arguments,
                descriptors: [1: log.raw, 2: log.raw],
                newSession: true
            ).start()
        } catch {
            throw Failure(what, "\(folder)/petrel-init cannot be started: \(error.name)")
        }
        let deadline = Clock.bootNanos + 10_000_000_000
        while try ask(InitV1.Request(action: .status), what: what) == nil {
            var ended = [Poll.Entry(child.process.raw)]
            try Poll.wait(&ended, deadlineNanos: Clock.bootNanos)
            guard ended[0].found.isEmpty, Clock.bootNanos < deadline else {
                throw Failure(
                    what,
                    try lastLine(after: logged) ?? "petrel-init does not answer",
                    advice: "See \(location.log(of: "init"))."
                )
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// What petrel-init wrote last since `position` of its log, without its own name.
    private func lastLine(after position: Int64) throws -> String? {
        let text = try Files.contents(of: location.log(of: "init"), limit: 64 << 20).dropFirst(Int(position))
        let line = String(decoding: text, as: UTF8.self).split(separator: "\n").last.map(String.init)
        guard let line, line.hasPrefix("petrel-init: ") else { return line }
        return String(line.dropFirst("petrel-init: ".count))
    }
}
