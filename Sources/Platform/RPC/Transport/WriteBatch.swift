// SPDX-License-Identifier: Apache-2.0
internal import System

/// What is to be written next, in order. Frame headers and small messages are copied into it; of large messages it only
/// says which part.
struct WriteBatch {
    private struct Part {
        let bytes: [UInt8]
        let range: Range<Int>
        /// How many of the small bytes come before it.
        let position: Int
    }

    private var small: [UInt8] = []
    private var parts: [Part] = []
    private(set) var byteCount = 0

    /// Copying less than this costs less than one more part does.
    private static let partSize = 4 << 10
    /// Not kept for its memory beyond what a call needs.
    private static let keptCapacity = 4096

    mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        small.append(contentsOf: bytes)
        byteCount += bytes.count
    }

    mutating func append(_ byte: UInt8) {
        small.append(byte)
        byteCount += 1
    }

    /// What stands before a message, whole.
    mutating func append(prefix: UInt64) {
        withUnsafeBytes(of: (prefix << 24).bigEndian) { bytes in
            small.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[..<Deframer.prefixLength]))
        }
        byteCount += Deframer.prefixLength
    }

    mutating func append(_ range: Range<Int>, of bytes: [UInt8]) {
        byteCount += range.count
        guard range.count >= Self.partSize else {
            bytes.withUnsafeBufferPointer {
                small.append(contentsOf: UnsafeBufferPointer(rebasing: $0[range]))
            }
            return
        }
        parts.append(Part(bytes: bytes, range: range, position: small.count))
    }

    mutating func removeAll() {
        small.removeAll(keepingCapacity: small.capacity <= Self.keptCapacity)
        if !parts.isEmpty { parts = [] }
        byteCount = 0
    }

    /// - Returns: How much the socket took; it may be nothing.
    /// - Throws: When the connection has failed.
    func send(to socket: Int32) throws(SystemError) -> Int {
        guard !parts.isEmpty else {
            let result = small.withUnsafeBytes { bytes in
                Result { () throws(SystemError) in try StreamSocket.sendSome(socket, bytes) }
            }
            return try result.get()
        }
        var result = Result<Int, SystemError>.success(0)
        withPieces { pieces in
            result = Result { () throws(SystemError) in try StreamSocket.sendSome(socket, pieces) }
        }
        return try result.get()
    }

    /// Adds all but the first `count` bytes to `rest`.
    func copy(after count: Int, to rest: inout [UInt8]) {
        rest.reserveCapacity(rest.count + byteCount - count)
        withPieces { pieces in
            var skipped = count
            for piece in pieces {
                let part = piece.dropFirst(skipped)
                skipped -= piece.count - part.count
                rest.append(contentsOf: part)
            }
        }
    }

    /// All bytes, in order.
    func withPieces(_ body: ([UnsafeRawBufferPointer]) throws -> Void) rethrows {
        try small.withUnsafeBytes { small in
            var pieces: [UnsafeRawBufferPointer] = []
            pieces.reserveCapacity(2 * parts.count + 1)
            try withPieces(after: 0, 0, small, &pieces, body)
        }
    }

    /// Each part's bytes are lent by a call of its own.
    private func withPieces(
        after index: Int,
        _ position: Int,
        _ small: UnsafeRawBufferPointer,
        _ pieces: inout [UnsafeRawBufferPointer],
        _ body: ([UnsafeRawBufferPointer]) throws -> Void
    ) rethrows {
        let next = index < parts.count ? parts[index].position : small.count
        if next > position { pieces.append(UnsafeRawBufferPointer(rebasing: small[position..<next])) }
        guard index < parts.count else { return try body(pieces) }
        try parts[index].bytes.withUnsafeBytes { bytes in
            pieces.append(UnsafeRawBufferPointer(rebasing: bytes[parts[index].range]))
            try withPieces(after: index + 1, next, small, &pieces, body)
        }
    }
}
