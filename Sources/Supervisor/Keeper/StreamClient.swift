// SPDX-License-Identifier: Apache-2.0
internal import Logs
internal import Messages
internal import System

/// One connection of the stream socket: its request, then output frames out and stdin bytes in.
///
/// A frame is 1 byte stream, 3 zero bytes, 4 bytes length (big-endian), and so many bytes, which go from the pipe to the
/// socket by splice. At most one header is held here, so a client that is slow, or gone, holds up only its own process.
final class StreamClient {
    private static let requestLimit = 4096

    private struct Frame {
        var header: ArraySlice<UInt8>
        let source: OutputSource
        var bytesLeft: Int
    }

    private let socket: Descriptor
    private var requestBytes: [UInt8] = []
    private var frame: Frame?
    private(set) var isOpen = true
    private(set) var wantsInput = false
    private(set) var wantsOutput = false
    /// It has shut its side down, or is gone.
    private(set) var inputEnded = false

    init(_ socket: consuming Descriptor) { self.socket = socket }

    var raw: Int32 { socket.raw }

    /// Whether it waits for the socket to take (the rest of) a frame.
    var isSending: Bool { frame != nil }

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
        (wantsInput, wantsOutput) = (request.attachStdin, request.attachOutput)
        return request
    }

    /// Stdin bytes that are there; empty when there are none now, or no more (`inputEnded`).
    func readInput() -> [UInt8] {
        do throws(SystemError) {
            let bytes = try Files.readSome(socket.raw, limit: StdinPipe.bytesAtOnce)
            if bytes.isEmpty { inputEnded = true }
            return bytes
        } catch  where error.name == "EAGAIN" {
            return []
        } catch {
            inputEnded = true
            return []
        }
    }

    /// Begins a frame with what the source has now.
    /// - Returns: whether there was anything.
    func begin(_ source: OutputSource, hungUp: Bool) -> Bool {
        guard isOpen, frame == nil else { return false }
        let count = source.lookForBytes(hungUp: hungUp)
        guard count > 0 else { return false }
        let length = (0..<4).map { UInt8(truncatingIfNeeded: count >> (24 - 8 * $0)) }
        frame = Frame(header: [source.stream.rawValue, 0, 0, 0] + length, source: source, bytesLeft: count)
        push()
        return true
    }

    /// Sends more of the present frame, as far as the socket takes it.
    func push() {
        guard isOpen, var current = frame else { return }
        do throws(SystemError) {
            while !current.header.isEmpty {
                current.header = current.header.dropFirst(try Files.writeSome(socket.raw, current.header))
            }
            while current.bytesLeft > 0 {
                let count = try Splice.move(
                    from: current.source.pipe.raw,
                    to: socket.raw,
                    count: current.bytesLeft
                )
                if count == 0 { break }
                current.bytesLeft -= count
            }
            frame = current.bytesLeft > 0 ? current : nil
        } catch  where error.name == "EAGAIN" {
            frame = current
        } catch {
            finish()
        }
    }

    /// The end of the output: the client reads what is on its way, then the end.
    func finish() {
        guard isOpen else { return }
        isOpen = false
        frame = nil
        // Unread input would turn the end into a reset for the client.
        for _ in 0..<8 where !inputEnded { if readInput().isEmpty { break } }
        UnixSocket.shutDownSending(socket.raw)
    }
}
