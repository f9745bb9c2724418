// SPDX-License-Identifier: Apache-2.0

/// The keeper's stream protocol as its client speaks it: kind u8 at 0, three zero bytes, length u32 big-endian at 4, the
/// bytes; numbers are u64 little-endian. See `petrel.keeper.v1.StreamRequest`.
enum StreamFrames {
    /// Input bytes in one frame, and beyond what the process has taken.
    static let inputWindow = 64 << 10

    static func input(_ bytes: [UInt8]) -> [UInt8] { frame(0, bytes) }

    /// - Parameter stream: 1 stdout, 2 stderr.
    static func acknowledge(_ stream: UInt32, _ position: UInt64) -> [UInt8] {
        frame(
            UInt8(truncatingIfNeeded: stream),
            (0..<8).map { UInt8(truncatingIfNeeded: position >> (8 * $0)) }
        )
    }

    static var endOfInput: [UInt8] { frame(3, []) }

    private static func frame(_ kind: UInt8, _ payload: [UInt8]) -> [UInt8] {
        [kind, 0, 0, 0] + (0..<4).map { UInt8(truncatingIfNeeded: payload.count >> (24 - 8 * $0)) } + payload
    }
}

/// Takes a keeper's frames apart. Bytes of output are passed on as they come, also of a frame that is not complete: the
/// next connection goes on after them.
struct FrameDecoder: Sendable {
    enum Piece: Hashable, Sendable {
        /// 1 stdout, 2 stderr.
        case output(stream: UInt32, [UInt8])
        case input(accepted: UInt64, delivered: UInt64)
        case endOfOutput
    }

    private var header: [UInt8] = []
    private var control: [UInt8] = []
    private var left = 0

    mutating func feed(_ bytes: [UInt8]) -> [Piece] {
        var rest = bytes[...]
        var pieces: [Piece] = []
        while !rest.isEmpty {
            if header.count < 8 {
                let part = rest.prefix(8 - header.count)
                header += part
                rest = rest.dropFirst(part.count)
                guard header.count == 8 else { break }
                left = header[4...].reduce(0) { $0 << 8 | Int($1) }
            } else {
                let part = rest.prefix(left)
                left -= part.count
                rest = rest.dropFirst(part.count)
                if header[0] == 1 || header[0] == 2 {
                    pieces.append(.output(stream: UInt32(header[0]), Array(part)))
                } else if control.count < 16 {
                    control += part.prefix(16 - control.count)
                }
            }
            guard left == 0 else { continue }
            if header[0] == 0, control.count == 16 {
                pieces.append(.input(accepted: number(at: 0), delivered: number(at: 8)))
            } else if header[0] == 3 {
                pieces.append(.endOfOutput)
            }
            (header, control) = ([], [])
        }
        return pieces
    }

    private func number(at start: Int) -> UInt64 {
        (0..<8).reduce(0) { $0 | UInt64(control[start + $1]) << (8 * UInt64($1)) }
    }
}
