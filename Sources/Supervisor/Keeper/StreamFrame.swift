// SPDX-License-Identifier: Apache-2.0
internal import Logs

/// What a client sends: kind u8 at 0, three zero bytes, length u32 big-endian at 4, the bytes. See `StreamRequest`.
enum StreamFrame {
    /// A part of the input, as it came.
    case input([UInt8])
    case acknowledged(OutputStream, Int64)
    case endOfInput

    static let headerSize = 8
    /// Bytes in one frame, both ways.
    static let limit = 64 << 10

    enum Kind {
        static let inputState: UInt8 = 0
        static let endOfOutput: UInt8 = 3
    }

    static func encode(_ kind: UInt8, _ payload: [UInt8] = []) -> [UInt8] {
        let length = (0..<4).map { UInt8(truncatingIfNeeded: payload.count >> (24 - 8 * $0)) }
        return [kind, 0, 0, 0] + length + payload
    }

    static func encode(_ number: Int64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
}

/// Takes a client's frames apart, as the bytes come. Pure.
struct StreamFrameReader {
    struct Violation: Error {
        let reason: String
    }

    private var header: [UInt8] = []
    private var number: [UInt8] = []
    private var left = 0

    mutating func feed(_ bytes: [UInt8]) throws(Violation) -> [StreamFrame] {
        var rest = bytes[...]
        var frames: [StreamFrame] = []
        while !rest.isEmpty {
            if header.count < StreamFrame.headerSize {
                let part = rest.prefix(StreamFrame.headerSize - header.count)
                header += part
                rest = rest.dropFirst(part.count)
                guard header.count == StreamFrame.headerSize else { break }
                left = try length()
            } else {
                let part = rest.prefix(left)
                left -= part.count
                rest = rest.dropFirst(part.count)
                if header[0] == 0 { frames.append(.input(Array(part))) } else { number += part }
            }
            guard left == 0 else { continue }
            if let frame = finished() { frames.append(frame) }
            (header, number) = ([], [])
        }
        return frames
    }

    private func length() throws(Violation) -> Int {
        let length = header[4...].reduce(0) { $0 << 8 | Int($1) }
        let isRight =
            switch header[0] {
            case 0: length <= StreamFrame.limit
            case 1, 2: length == 8
            case 3: length == 0
            default: false
            }
        guard isRight else { throw Violation(reason: "frame \(header[0]) of \(length) bytes") }
        return length
    }

    private func finished() -> StreamFrame? {
        switch header[0] {
        case 1, 2:
            let position = number.enumerated().reduce(UInt64(0)) {
                $0 | UInt64($1.element) << (8 * $1.offset)
            }
            let stream = header[0] == 1 ? OutputStream.standardOutput : .standardError
            return .acknowledged(stream, Int64(clamping: position))
        case 3: return .endOfInput
        default: return nil
        }
    }
}
