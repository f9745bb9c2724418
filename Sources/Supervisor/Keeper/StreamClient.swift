// SPDX-License-Identifier: Apache-2.0
internal import Logs
internal import Messages
internal import System

/// One connection of the stream socket: its request, then frames both ways.
///
/// At most one frame of output is held here, a copy of what is in the stage; a client that is slow, or gone, holds up only
/// its own process.
final class StreamClient {
    private static let requestLimit = 4096

    private let socket: Descriptor
    private var requestBytes: [UInt8] = []
    private var frames = StreamFrameReader()
    private var outgoing: ArraySlice<UInt8> = []
    private(set) var request = KeeperV1.StreamRequest()
    private(set) var isOpen = true
    /// The next byte to send, of each stream.
    private(set) var positions: [OutputStream: Int64] = [:]
    private(set) var isToldOfEnd = false
    private var toldInput: [Int64] = []
    /// It takes nothing any more.
    private var isDeaf = false
    /// There is more to send than one turn allows.
    var wantsTurn = false

    init(_ socket: consuming Descriptor) { self.socket = socket }

    var raw: Int32 { socket.raw }
    var wantsInput: Bool { request.attachStdin }
    var wantsOutput: Bool { request.attachOutput }

    /// Whether it waits for the socket to take (the rest of) a frame.
    var isSending: Bool { !outgoing.isEmpty }

    /// Reads the request without taking a byte that follows it; nil while it is incomplete.
    func readRequest() -> KeeperV1.StreamRequest? {
        while isOpen {
            let wanted: Int
            if requestBytes.count < 4 {
                wanted = 4 - requestBytes.count
            } else {
                let length = (0..<4).reduce(0) { $0 | Int(requestBytes[$1]) << (8 * $1) }
                guard length <= Self.requestLimit else { break }
                wanted = 4 + length - requestBytes.count
                if wanted == 0 { return accept() }
            }
            do throws(SystemError) {
                let bytes = try Files.readSome(socket.raw, limit: wanted)
                if bytes.isEmpty { break }
                requestBytes += bytes
            } catch  where error.name == "EAGAIN" {
                return nil
            } catch {
                break
            }
        }
        finish()
        return nil
    }

    private func accept() -> KeeperV1.StreamRequest? {
        guard let request = try? KeeperV1.StreamRequest(serialized: Array(requestBytes.dropFirst(4))) else {
            finish()
            return nil
        }
        requestBytes = []
        self.request = request
        positions = [
            .standardOutput: Int64(clamping: request.stdoutPosition),
            .standardError: Int64(clamping: request.stderrPosition),
        ]
        return request
    }

    // MARK: - What it sends

    /// Frames that have come; nil when it is gone or broke the rules.
    func read() -> [StreamFrame]? {
        do {
            let bytes = try Files.readSome(socket.raw, limit: StreamFrame.limit)
            return bytes.isEmpty ? nil : try frames.feed(bytes)
        } catch let violation as StreamFrameReader.Violation {
            KeeperLog.line("stream closed: \(violation.reason)")
            return nil
        } catch let error as SystemError where error.name == "EAGAIN" {
            return []
        } catch {
            return nil
        }
    }

    // MARK: - What it is sent

    /// Sends what waits.
    /// - Returns: whether all of it is gone.
    func flush() -> Bool {
        while isOpen, !isDeaf, !outgoing.isEmpty {
            do throws(SystemError) {
                outgoing = outgoing.dropFirst(try Files.writeSome(socket.raw, outgoing))
            } catch {
                if error.name == "EAGAIN" { return false }
                // What it said before it went is still to be read; then comes its end.
                isDeaf = true
                outgoing = []
            }
        }
        return isOpen && !isDeaf
    }

    /// Queues the input's state, unless it is what the client was told last.
    func tell(accepted: Int64, delivered: Int64) -> Bool {
        guard toldInput != [accepted, delivered] else { return false }
        toldInput = [accepted, delivered]
        queue(StreamFrame.Kind.inputState, toldInput.flatMap(StreamFrame.encode))
        return true
    }

    /// Queues a frame with what the stage has for it.
    func tell(_ stream: OutputStream, _ stage: OutputStage) -> Bool {
        guard let position = positions[stream],
            let bytes = try? stage.bytes(from: position, limit: StreamFrame.limit), !bytes.isEmpty
        else { return false }
        positions[stream] = position + Int64(bytes.count)
        queue(stream.rawValue, bytes)
        return true
    }

    func tellEnd() {
        isToldOfEnd = true
        queue(StreamFrame.Kind.endOfOutput, [])
    }

    private func queue(_ kind: UInt8, _ payload: [UInt8]) { outgoing += StreamFrame.encode(kind, payload) }

    func finish() {
        guard isOpen else { return }
        isOpen = false
        outgoing = []
        UnixSocket.shutDownSending(socket.raw)
    }
}
