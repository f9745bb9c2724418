// SPDX-License-Identifier: Apache-2.0
internal import CZlib

/// How messages are made smaller on their way. A call names it once, each message says whether it is.
package enum Compression: Hashable, Sendable {
    case gzip

    /// What a peer's `grpc-encoding` says.
    enum Name: Hashable, Sendable {
        case identity, gzip, other

        init(_ value: UnsafeBufferPointer<UInt8>) {
            self = value.equals("identity") ? .identity : value.equals("gzip") ? .gzip : .other
        }
    }

    /// Whether a list of encodings, separated by commas, has gzip.
    static func isGzip(in list: UnsafeBufferPointer<UInt8>) -> Bool {
        var rest = list[...]
        while true {
            let end = rest.firstIndex(of: 0x2c) ?? rest.endIndex
            if UnsafeBufferPointer(rebasing: rest[..<end].trimmed).equals("gzip") { return true }
            guard end < rest.endIndex else { return false }
            rest = rest[(end + 1)...]
        }
    }

    // zlib: its own window, and gzip's header and trailer.
    private static let windowBits: Int32 = 15 + 16

    /// The message compressed, or as it is where that has fewer bytes.
    static func smaller(_ payload: [UInt8]) -> WireMessage {
        guard let bytes = compressed(payload), bytes.count < payload.count else {
            return WireMessage(bytes: payload)
        }
        return WireMessage(bytes: bytes, isCompressed: true)
    }

    /// - Returns: nil where there is no memory for it.
    package static func compressed(_ bytes: [UInt8]) -> [UInt8]? {
        var stream = z_stream()
        // Fast rather than small: what travels on one machine, or between two that are near each other.
        let size = Int32(MemoryLayout<z_stream>.size)
        guard
            deflateInit2_(
                &stream,
                Z_BEST_SPEED,
                Z_DEFLATED,
                windowBits,
                8,
                Z_DEFAULT_STRATEGY,
                ZLIB_VERSION,
                size
            ) == Z_OK
        else { return nil }
        defer { deflateEnd(&stream) }
        let capacity = Int(deflateBound(&stream, UInt(bytes.count)))
        return bytes.withUnsafeBufferPointer { input in
            stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            stream.avail_in = UInt32(input.count)
            var isWhole = false
            let result = [UInt8](unsafeUninitializedCapacity: capacity) { output, count in
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(capacity)
                isWhole = deflate(&stream, Z_FINISH) == Z_STREAM_END
                count = capacity - Int(stream.avail_out)
            }
            return isWhole ? result : nil
        }
    }

    /// - Parameter limit: Most bytes of the result. Memory grows as they come, so that a few bytes cannot claim much.
    /// - Throws: `.resourceExhausted` for more than the limit, `.internal` for what is not one whole gzip stream.
    package static func decompressed(_ bytes: [UInt8], limit: Int) throws(RPCError) -> [UInt8] {
        var stream = z_stream()
        guard inflateInit2_(&stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else {
            throw RPCError(.resourceExhausted, "no memory to decompress a message")
        }
        defer { inflateEnd(&stream) }
        var output = [UInt8](repeating: 0, count: min(limit, max(256, bytes.count * 4)) + 1)
        var used = 0
        let isWhole = try bytes.withUnsafeBufferPointer { input throws(RPCError) in
            stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            stream.avail_in = UInt32(input.count)
            while true {
                let result = output.withUnsafeMutableBufferPointer { room in
                    stream.next_out = room.baseAddress.map { $0 + used }
                    stream.avail_out = UInt32(room.count - used)
                    defer { used = room.count - Int(stream.avail_out) }
                    return inflate(&stream, Z_NO_FLUSH)
                }
                guard used <= limit else {
                    throw RPCError(
                        .resourceExhausted,
                        "a compressed message is over the limit of \(limit) bytes"
                    )
                }
                if result == Z_STREAM_END { return stream.avail_in == 0 }
                guard result == Z_OK, stream.avail_out == 0 else { return false }
                output += [UInt8](repeating: 0, count: min(output.count, limit + 1 - output.count))
            }
        }
        guard isWhole else { throw RPCError(.internal, "a compressed message is damaged") }
        output.removeLast(output.count - used)
        return output
    }
}

extension Slice<UnsafeBufferPointer<UInt8>> {
    fileprivate var trimmed: Self {
        var part = self
        while part.first == 0x20 { part.removeFirst() }
        while part.last == 0x20 { part.removeLast() }
        return part
    }
}
