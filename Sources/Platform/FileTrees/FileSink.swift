// SPDX-License-Identifier: Apache-2.0
internal import System
package import Tar

/// An open file or pipe, written in large pieces.
package final class FileSink: ByteSink {
    private static let bufferBytes = 256 << 10

    private let file: Int32
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bufferBytes, alignment: 64)
    private var filled = 0

    /// - Parameter file: The caller keeps it open.
    package init(_ file: Int32) { self.file = file }

    deinit { buffer.deallocate() }

    package func write(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
        if bytes.count > buffer.count - filled { try flush() }
        guard bytes.count < buffer.count else { return try put(bytes) }
        UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<filled + bytes.count]).copyMemory(from: bytes)
        filled += bytes.count
    }

    /// Writes what is held back.
    package func flush() throws(ArchiveError) {
        try put(UnsafeRawBufferPointer(rebasing: buffer[..<filled]))
        filled = 0
    }

    private func put(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
        do throws(SystemError) { try Files.writeAll(file, bytes) } catch { throw .sink(error) }
    }
}
