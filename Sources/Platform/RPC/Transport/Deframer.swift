// SPDX-License-Identifier: Apache-2.0

/// A message as it travels.
package struct WireMessage: Sendable, Hashable {
    package var bytes: [UInt8]
    /// The bytes are gzip's.
    package var isCompressed: Bool

    package init(bytes: [UInt8], isCompressed: Bool = false) {
        self.bytes = bytes
        self.isCompressed = isCompressed
    }
}

/// Cuts a stream's data into messages: one byte of flags, four of length (big-endian), the message.
package struct Deframer {
    /// The largest message that is sent or accepted unless a server or channel says otherwise, in bytes.
    package static let limit = 4 << 20
    static let prefixLength = 5
    private static let growth = 3

    /// What has arrived of a prefix, and how many bytes of it.
    private var prefix: UInt64 = 0
    private var prefixCount = 0
    private var length = 0
    private var message = WireMessage(bytes: [])
    private var isInMessage = false
    private var isStopped = false
    /// Whether the peer has named an encoding, without which no message may be compressed.
    package var allowsCompression = false
    private let limit: Int

    package init(limit: Int = Deframer.limit) { self.limit = limit }

    /// Forgets what has arrived, and takes no notice of what follows.
    mutating func stop() {
        message.bytes = []
        isStopped = true
    }

    /// - Throws: `.resourceExhausted` for a message over the limit.
    static func check(size: Int, limit: Int = Deframer.limit) throws(RPCError) {
        guard size <= limit else {
            throw RPCError(.resourceExhausted, "message of \(size) bytes is over the limit of \(limit)")
        }
    }

    /// Whether the data may end here.
    package var isBetweenMessages: Bool { !isInMessage && prefixCount == 0 }

    /// Bytes of the message whose rest is still to come.
    var heldBytes: Int { message.bytes.count }

    /// The memory that it has taken, in bytes.
    package var reservedBytes: Int { message.bytes.capacity }

    /// Takes what arrived, up to the end of the next message.
    /// - Parameter bytes: What is left of it; nothing when no message ends in it.
    /// - Returns: The message; nil when its rest is still to come.
    /// - Throws: `.resourceExhausted` for a message over the limit, `.internal` for flags that mean nothing.
    package mutating func next(
        _ bytes: inout UnsafeBufferPointer<UInt8>
    ) throws(RPCError) -> WireMessage? {
        guard !isStopped else {
            bytes = UnsafeBufferPointer(start: nil, count: 0)
            return nil
        }
        if !isInMessage {
            guard takePrefix(&bytes) else { return nil }
            try begin()
        }
        let count = min(length - message.bytes.count, bytes.count)
        let part = UnsafeBufferPointer(rebasing: bytes[..<count])
        bytes = UnsafeBufferPointer(rebasing: bytes[count...])
        if count == length {
            isInMessage = false
            return WireMessage(bytes: Array(part), isCompressed: message.isCompressed)
        }
        // The peer says how long it is, but has not sent it: room grows as it comes, from a multiple of the first part on.
        if message.bytes.isEmpty, count > 0 {
            message.bytes.reserveCapacity(min(length, Self.growth * count))
        }
        message.bytes.append(contentsOf: part)
        guard message.bytes.count == length else { return nil }
        isInMessage = false
        defer { message.bytes = [] }
        return message
    }

    /// - Returns: Whether all of it is here.
    private mutating func takePrefix(_ bytes: inout UnsafeBufferPointer<UInt8>) -> Bool {
        let count = min(Self.prefixLength - prefixCount, bytes.count)
        for byte in bytes[..<count] { prefix = prefix << 8 | UInt64(byte) }
        prefixCount += count
        bytes = UnsafeBufferPointer(rebasing: bytes[count...])
        return prefixCount == Self.prefixLength
    }

    private mutating func begin() throws(RPCError) {
        length = Int(prefix & 0xffff_ffff)
        let flags = prefix >> 32
        try Self.check(size: length, limit: limit)
        guard flags <= 1 else { throw RPCError(.internal, "a message has unknown flags (\(flags))") }
        guard flags == 0 || allowsCompression else {
            throw RPCError(.internal, "a message is compressed, but the call names no encoding")
        }
        message.isCompressed = flags == 1
        prefix = 0
        prefixCount = 0
        isInMessage = true
    }
}
