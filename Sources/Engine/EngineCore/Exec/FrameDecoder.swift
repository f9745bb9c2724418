// SPDX-License-Identifier: Apache-2.0

/// Takes Docker's raw-stream frames apart: stream u8 at 0, three zero bytes, length u32 big-endian at 4, the bytes.
///
/// Bytes are passed on as they come, also of a frame that is not complete: where a connection breaks, those not
/// received are still in the pipe, and the next connection brings them with a header of its own.
struct FrameDecoder: Sendable {
    struct Piece: Hashable, Sendable {
        /// 1 stdout, 2 stderr.
        var stream: UInt32
        var bytes: [UInt8]
    }

    private var header: [UInt8] = []
    private var stream: UInt32 = 0
    private var left = 0

    mutating func feed(_ bytes: [UInt8]) -> [Piece] {
        var rest = bytes[...]
        var pieces: [Piece] = []
        while !rest.isEmpty {
            if left > 0 {
                let piece = rest.prefix(left)
                left -= piece.count
                rest = rest.dropFirst(piece.count)
                pieces.append(Piece(stream: stream, bytes: Array(piece)))
                continue
            }
            let part = rest.prefix(8 - header.count)
            header += part
            rest = rest.dropFirst(part.count)
            guard header.count == 8 else { break }
            stream = UInt32(header[0])
            left = header[4...].reduce(0) { $0 << 8 | Int($1) }
            header = []
        }
        return pieces
    }
}
