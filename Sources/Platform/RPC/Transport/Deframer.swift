// SPDX-License-Identifier: Apache-2.0

/// Cuts a stream's data into messages: one byte of flags, four of length (big-endian), the message.
package struct Deframer {
    /// The largest message that is sent or accepted, in bytes.
    package static let limit = 4 << 20
    package static let prefixLength = 5

    private var prefix: [UInt8] = []
    private var length = 0
    private var message: [UInt8] = []
    private var isInMessage = false
    private var isStopped = false

    package init() {}

    /// Forgets what has arrived, and takes no notice of what follows.
    package mutating func stop() {
        message = []
        isStopped = true
    }

    /// - Throws: `.resourceExhausted` for a message over the limit.
    package static func check(size: Int) throws(RPCError) {
        guard size <= limit else {
            throw RPCError(.resourceExhausted, "message of \(size) bytes is over the limit of \(limit)")
        }
    }

    /// Whether the data may end here.
    package var isBetweenMessages: Bool { !isInMessage && prefix.isEmpty }

    /// Bytes of the message whose rest is still to come.
    package var heldBytes: Int { message.count }

    /// Adds what arrived and returns the messages that it completed.
    /// - Throws: `.resourceExhausted` for a message over the limit, `.unimplemented` for a compressed one.
    package mutating func feed(_ bytes: UnsafeBufferPointer<UInt8>) throws(RPCError) -> [[UInt8]] {
        guard !isStopped else { return [] }
        var result: [[UInt8]] = []
        var rest = bytes[...]
        while true {
            if !isInMessage {
                let count = min(Self.prefixLength - prefix.count, rest.count)
                prefix += rest.prefix(count)
                rest = rest.dropFirst(count)
                guard prefix.count == Self.prefixLength else { return result }
                try begin()
            }
            let count = min(length - message.count, rest.count)
            message += rest.prefix(count)
            rest = rest.dropFirst(count)
            guard message.count == length else { return result }
            result.append(message)
            message = []
            isInMessage = false
        }
    }

    private mutating func begin() throws(RPCError) {
        length = prefix[1...4].reduce(0) { $0 << 8 | Int($1) }
        try Self.check(size: length)
        guard prefix[0] == 0 else { throw RPCError(.unimplemented, "compressed messages are not supported") }
        prefix.removeAll(keepingCapacity: true)
        // The peer says how long it is, but has not sent it: room grows as it comes.
        message.reserveCapacity(min(length, 64 << 10))
        isInMessage = true
    }
}
