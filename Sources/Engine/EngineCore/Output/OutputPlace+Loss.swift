// SPDX-License-Identifier: Apache-2.0
internal import Logs
internal import System

/// Going on where output before it was deleted: segments end anywhere, so the first line of one has usually lost its beginning.
/// Whether it has is gone with the segment before it: one that is whole is left out, too.
extension OutputPlace {
    /// How far a line's end is looked for. A stream without one there has no lines.
    private static let window = 64 << 10

    /// The beginning of what is there.
    static func start(of directory: SpoolDirectory) throws(SystemError) -> OutputPlace {
        guard let first = try directory.segments().first, first > 1 else {
            return OutputPlace(position: .start)
        }
        var place = try begin(of: first, in: directory)
        // Not that segment: it may go before it is read.
        place.position = .start
        return place
    }

    /// The first byte of a segment, the one before it lost. What is left of a line begins hidden.
    static func begin(of segment: UInt64, in directory: SpoolDirectory) throws(SystemError) -> OutputPlace {
        let position = LogPosition(segment: segment, offset: 0)
        var place = OutputPlace(position: position)
        let end = LogPosition(segment: segment, offset: UInt64(window))
        var reader = SpoolReader(directory: directory, from: position, to: end)
        while case .chunk(let chunk) = try reader.next() {
            if chunk.bytes.contains(UInt8(ascii: "\n")) { place[chunk.stream] = .hidden }
        }
        return place
    }
}
