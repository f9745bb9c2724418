// SPDX-License-Identifier: Apache-2.0
import Glibc
import Messages
import System

/// A client of the stream socket that comes back after its keeper was killed, and goes on where it was.
final class TestStream {
    private let container: TestContainer
    private var request: KeeperV1.StreamRequest
    private var socket: SharedDescriptor
    /// Bytes of the present frame that have come, header included.
    private var buffer: [UInt8] = []
    private(set) var output: [UInt8: [UInt8]] = [1: [], 2: []]
    /// As the keeper told them last.
    private(set) var input: (accepted: Int, delivered: Int)?
    private(set) var isAtEnd = false
    /// Everything that was given to `send`.
    private var sent: [UInt8] = []
    private var sentUpTo = 0
    private var endsInput = false
    private var hasSaidEnd = false
    /// Whether output is acknowledged as it comes.
    var acknowledges = true
    private var acknowledged: [UInt8: Int] = [:]

    init(_ container: TestContainer, _ request: KeeperV1.StreamRequest) throws {
        // A keeper that was killed does not take what is said to it.
        Signal.pipe.ignore()
        self.container = container
        self.request = request
        socket = try Self.connect(container, request)
    }

    private static func connect(
        _ container: TestContainer,
        _ request: KeeperV1.StreamRequest
    ) throws -> SharedDescriptor {
        let path = container.runDirectory + "/stream.sock"
        let socket = SharedDescriptor(try UnixSocket.connect(.stream, to: path, nonBlocking: true))
        let body = request.serialized()
        try Files.writeAll(
            socket.raw,
            (0..<4).map { UInt8(truncatingIfNeeded: body.count >> (8 * $0)) } + body
        )
        return socket
    }

    /// A frame, as it is.
    func write(frame kind: UInt8, _ payload: [UInt8], claiming count: Int? = nil) throws {
        let count = count ?? payload.count
        let length = (0..<4).map { UInt8(truncatingIfNeeded: count >> (24 - 8 * $0)) }
        var rest = ([kind, 0, 0, 0] + length + payload)[...]
        let deadline = Clock.bootNanos + 10_000_000_000
        while !rest.isEmpty {
            do throws(SystemError) {
                rest = rest.dropFirst(try Files.writeSome(socket.raw, rest))
            } catch {
                guard error.name == "EAGAIN" else { throw error }
                var entries = [Poll.Entry(socket.raw, .writable)]
                try Poll.wait(&entries, deadlineNanos: deadline)
                if Clock.bootNanos >= deadline { throw TestFailure("the keeper does not read") }
            }
        }
    }

    /// Input that goes out as there is room; `end`: nothing follows.
    func send(_ bytes: [UInt8], end: Bool = false) throws {
        sent += bytes
        endsInput = end
        try pushInput()
    }

    /// Whether all input is accepted by the keeper.
    var isAccepted: Bool { input.map { $0.accepted == sent.count } ?? false }

    private func pushInput() throws {
        guard let input else { return }
        let room = input.delivered + 65536 - sentUpTo
        let count = min(room, sent.count - sentUpTo)
        if count > 0 {
            try write(frame: 0, Array(sent[sentUpTo..<sentUpTo + count]))
            sentUpTo += count
        }
        if endsInput, !hasSaidEnd, sentUpTo == sent.count {
            hasSaidEnd = true
            try write(frame: 3, [])
        }
    }

    /// Discards the frame that was cut, and connects anew.
    func reconnect() throws {
        try readAvailable()
        buffer = []
        request.stdoutPosition = UInt64(output[1]?.count ?? 0)
        request.stderrPosition = UInt64(output[2]?.count ?? 0)
        (input, hasSaidEnd, acknowledged) = (nil, false, [:])
        socket = try Self.connect(container, request)
        // A new keeper does not know what was acknowledged before.
        try? answer()
    }

    /// Reads what is there, and answers.
    /// - Parameter limit: So many times 64 KiB at most; more may come meanwhile.
    /// - Returns: false at the end of the stream, or of the connection.
    @discardableResult
    func readAvailable(atMost limit: Int = .max) throws -> Bool {
        var count = 0
        while !isAtEnd, count < limit {
            count += 1
            var entries = [Poll.Entry(socket.raw)]
            try Poll.wait(&entries, deadlineNanos: Clock.bootNanos)
            if entries[0].found.isEmpty { break }
            // A connection that was reset has ended too.
            guard let bytes = try? Files.readSome(socket.raw, limit: 64 << 10), !bytes.isEmpty else {
                return false
            }
            take(bytes)
            // A keeper that is killed just now does not hear it.
            try? answer()
        }
        return !isAtEnd
    }

    private func answer() throws {
        if acknowledges {
            for stream: UInt8 in [1, 2] {
                let count = output[stream]?.count ?? 0
                guard count > acknowledged[stream] ?? 0 else { continue }
                acknowledged[stream] = count
                try write(frame: stream, (0..<8).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) })
            }
        }
        try pushInput()
    }

    func readToEnd(within seconds: Double = 30) throws {
        let deadline = Clock.bootNanos + Int64(seconds * 1e9)
        while try readAvailable() {
            var entries = [Poll.Entry(socket.raw)]
            try Poll.wait(&entries, deadlineNanos: deadline)
            guard Clock.bootNanos < deadline else { throw TestFailure("the stream did not end") }
        }
        guard isAtEnd else { throw TestFailure("the connection ended before the stream") }
    }

    private func take(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            if buffer.count < 8 {
                let part = rest.prefix(8 - buffer.count)
                buffer += part
                rest = rest.dropFirst(part.count)
                guard buffer.count == 8 else { break }
                left = buffer[4..<8].reduce(0) { $0 << 8 | Int($1) }
                state = []
            } else {
                let part = rest.prefix(left)
                if buffer[0] == 0 { state += part } else { output[buffer[0], default: []] += part }
                left -= part.count
                rest = rest.dropFirst(part.count)
            }
            if left == 0 { finishFrame() }
        }
    }

    private func finishFrame() {
        switch buffer[0] {
        case 0:
            let numbers = [0, 8].map { start in (0..<8).reduce(0) { $0 | Int(state[start + $1]) << (8 * $1) }
            }
            // On a new connection: what was not accepted goes out again.
            if input == nil { sentUpTo = numbers[0] }
            input = (numbers[0], numbers[1])
        case 3: isAtEnd = true
        default: break
        }
        buffer = []
    }

    private var left = 0
    private var state: [UInt8] = []
}

/// Looks until it is true.
func eventually(within seconds: Double = 20, _ condition: () throws -> Bool) throws {
    let deadline = Clock.bootNanos + Int64(seconds * 1e9)
    while try !condition() {
        guard Clock.bootNanos < deadline else { throw TestFailure("did not come true in \(seconds) s") }
        usleep(5000)
    }
}
