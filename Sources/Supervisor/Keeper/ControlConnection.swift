// SPDX-License-Identifier: Apache-2.0
internal import Messages
internal import System

/// One supervisor's connection. Never blocks: what the kernel has no room for waits in a short queue, and a peer that
/// lets it grow is cut off.
final class ControlConnection {
    private static let queueLimit = 1024

    private struct Outgoing {
        let bytes: [UInt8]
        let descriptors: [SharedDescriptor]
    }

    private let socket: SequencedSocket
    private var queue: [Outgoing] = []
    private(set) var isOpen = true
    /// It has said Hello, and so is told about events.
    var hasGreeted = false

    init(_ descriptor: consuming Descriptor) throws(SystemError) {
        let socket = SequencedSocket(adopting: descriptor)
        try Files.setNonBlocking(socket.raw)
        self.socket = socket
    }

    var raw: Int32 { socket.raw }

    var interest: Poll.Interest { queue.isEmpty ? .readable : [.readable, .writable] }

    /// The next packet; nil when none is there, or the connection is over.
    func receive() -> (packet: KeeperV1.Packet, descriptors: [SharedDescriptor])? {
        guard isOpen else { return nil }
        do throws(SystemError) {
            guard let message = try socket.receive() else {
                isOpen = false
                return nil
            }
            guard let packet = try? KeeperV1.Packet(serialized: message.bytes) else {
                KeeperLog.line("connection closed: not a packet")
                isOpen = false
                return nil
            }
            return (packet, message.descriptors)
        } catch  where error.name == "EAGAIN" {
            return nil
        } catch {
            isOpen = false
            return nil
        }
    }

    func send(_ body: KeeperV1.Packet.Body, id: UInt64 = 0, descriptors: [SharedDescriptor] = []) {
        guard isOpen else { return }
        let bytes = KeeperV1.Packet(id: id, body: body).serialized()
        queue.append(Outgoing(bytes: bytes, descriptors: descriptors))
        flush()
        if queue.count > Self.queueLimit {
            KeeperLog.line("connection closed: its peer does not read")
            isOpen = false
        }
    }

    func flush() {
        while isOpen, let next = queue.first {
            do throws(SystemError) {
                try socket.send(next.bytes, descriptors: next.descriptors.map(\.raw))
                queue.removeFirst()
            } catch  where error.name == "EAGAIN" {
                return
            } catch {
                isOpen = false
            }
        }
    }
}
