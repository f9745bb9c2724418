// SPDX-License-Identifier: Apache-2.0
internal import System

/// What is to be written next, in order. Frame headers and small messages are copied into it; of large messages it only
/// says which part.
///
/// There is one for all connections: a connection fills it and writes it in one go, on the loop.
final class WriteBatch {
    private struct Part {
        let bytes: [UInt8]
        let range: Range<Int>
        /// How many of the small bytes come before it.
        let position: Int
    }

    nonisolated(unsafe) static let shared = WriteBatch()

    private var small: UnsafeMutableRawBufferPointer
    private var smallCount = 0
    private var parts: [Part] = []
    private(set) var byteCount = 0

    /// Copying less than this costs less than one more part does.
    private static let partSize = 4 << 10
    /// As much as a connection mostly makes ready at once. Its pages are taken when they are first written.
    private static let capacity = 256 << 10

    private init() { small = .allocate(byteCount: Self.capacity, alignment: 16) }

    deinit { small.deallocate() }

    /// - Returns: Where so many more bytes are to be put.
    @inline(__always)
    private func extend(_ count: Int) -> UnsafeMutableRawBufferPointer {
        if small.count - smallCount < count { grow(to: smallCount + count) }
        defer {
            smallCount += count
            byteCount += count
        }
        return UnsafeMutableRawBufferPointer(rebasing: small[smallCount..<smallCount + count])
    }

    @inline(never)
    private func grow(to count: Int) {
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * count, alignment: 16)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: small[..<smallCount]))
        small.deallocate()
        small = larger
    }

    func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        extend(bytes.count).copyMemory(from: UnsafeRawBufferPointer(bytes))
    }

    func append(_ byte: UInt8) { extend(1)[0] = byte }

    /// What stands before a message, whole.
    func append(prefix: UInt64) {
        let room = extend(Deframer.prefixLength)
        room[0] = UInt8(truncatingIfNeeded: prefix >> 32)
        room.storeBytes(of: UInt32(truncatingIfNeeded: prefix).bigEndian, toByteOffset: 1, as: UInt32.self)
    }

    func append(_ range: Range<Int>, of bytes: [UInt8]) {
        guard range.count < Self.partSize else {
            parts.append(Part(bytes: bytes, range: range, position: smallCount))
            byteCount += range.count
            return
        }
        bytes.withUnsafeBytes {
            extend(range.count).copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[range]))
        }
    }

    func removeAll() {
        smallCount = 0
        byteCount = 0
        if !parts.isEmpty { parts = [] }
        guard small.count > Self.capacity else { return }
        small.deallocate()
        small = .allocate(byteCount: Self.capacity, alignment: 16)
    }

    private var smallBytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: small[..<smallCount]) }

    /// - Returns: How much the socket took; it may be nothing.
    /// - Throws: When the connection has failed.
    func send(to socket: Int32) throws(SystemError) -> Int {
        guard !parts.isEmpty else {
            return try StreamSocket.sendSome(socket, smallBytes)
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
        var pieces: [UnsafeRawBufferPointer] = []
        pieces.reserveCapacity(2 * parts.count + 1)
        try withPieces(after: 0, 0, smallBytes, &pieces, body)
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
