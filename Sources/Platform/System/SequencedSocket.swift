// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// A Unix-domain socket whose messages arrive whole and in order (SOCK_SEQPACKET), with descriptors beside them.
///
/// Works on blocking and non-blocking sockets; a non-blocking one throws `EAGAIN` where it would have to wait.
package struct SequencedSocket: ~Copyable, Sendable {
    /// Room for messages on their way that sockets of this kind ask for; no message can be larger.
    package static let bufferBytes: Int32 = 4 << 20

    package struct Message: Sendable {
        package let bytes: [UInt8]
        /// In the order in which they were sent; closed when nobody holds them any more.
        package let descriptors: [SharedDescriptor]
    }

    package struct Pair: ~Copyable, Sendable {
        package let first: SequencedSocket
        package let second: SequencedSocket
    }

    private let descriptor: Descriptor

    package init(adopting descriptor: consuming Descriptor) {
        UnixSocket.setSendBuffer(descriptor.raw, bytes: Self.bufferBytes)
        self.descriptor = descriptor
    }

    /// Two connected ends; both block.
    package static func pair() throws(SystemError) -> Pair {
        let sockets = try UnixSocket.pair(.sequencedPacket)
        return Pair(
            first: SequencedSocket(adopting: sockets.first),
            second: SequencedSocket(adopting: sockets.second)
        )
    }

    /// - Throws: `ENOENT` without a socket file, `ECONNREFUSED` when nobody listens.
    package static func connect(to path: String) throws(SystemError) -> SequencedSocket {
        SequencedSocket(adopting: try UnixSocket.connect(.sequencedPacket, to: path))
    }

    /// The number, for poll and for a child's descriptor table.
    package var raw: Int32 { descriptor.raw }

    /// Sends one message; the descriptors are copied to the receiver and stay open here.
    /// - Throws: `EAGAIN` (non-blocking, no room), `EPIPE` or `ECONNRESET` (peer gone), `EMSGSIZE`.
    package func send(_ bytes: [UInt8], descriptors: [Int32] = []) throws(SystemError) {
        try SocketMessages.send(raw, bytes, descriptors: descriptors)
    }

    /// The next message; nil when the peer has closed. An empty message cannot be told from that: nobody sends one.
    /// - Throws: `EAGAIN` (non-blocking, nothing there), `ECONNRESET`, `EMSGSIZE` when it was larger than `limit`.
    package func receive(limit: Int = 4 << 20) throws(SystemError) -> Message? {
        let size = try nextSize()
        let received = try SocketMessages.receive(raw, limit: min(size, limit))
        guard !received.isTruncated else { throw SystemError("recvmsg", code: EMSGSIZE) }
        guard !received.bytes.isEmpty else { return nil }
        return Message(bytes: received.bytes, descriptors: received.descriptors)
    }

    /// Gives the socket away.
    package consuming func relinquish() -> Descriptor { descriptor }

    private func nextSize() throws(SystemError) -> Int {
        while true {
            // With MSG_TRUNC the call returns the message's true length.
            let size = Glibc.recv(raw, nil, 0, Int32(MSG_PEEK) | Int32(MSG_TRUNC))
            if size >= 0 { return size }
            let code = errno
            guard code == EINTR else { throw SystemError("recv", code: code) }
        }
    }
}
