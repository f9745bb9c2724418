// SPDX-License-Identifier: Apache-2.0
package import System

/// A name from an archive, beneath the root and without `.`, `..` and double slashes; what leads out is refused
/// here, what links do on the way is the kernel's business (`RESOLVE_IN_ROOT`).
package struct EntryPath: Sendable {
    /// The components joined by `/`, and a NUL; only the NUL for the root itself.
    package let bytes: [CChar]
    /// Where the last component begins.
    let nameStart: Int
    package let depth: Int

    package var isRoot: Bool { depth == 0 }

    /// Without a slash at its end.
    package var parent: ArraySlice<CChar> { bytes[..<max(0, nameStart - 1)] }

    /// The last component and the NUL.
    package var name: ArraySlice<CChar> { bytes[nameStart...] }

    /// Nil when `..` leads out of the root.
    /// - Parameter prefix: A directory beneath the root, without a slash at its end, in which the name begins and which
    ///   `..` does not leave either.
    package init?(_ name: [UInt8], below prefix: [CChar] = []) {
        var bytes = prefix
        bytes.reserveCapacity(prefix.count + name.count + 2)
        var starts: [Int] = []
        var position = 0
        while position < name.count {
            let end = name[position...].firstIndex(of: 0x2f) ?? name.count
            defer { position = end + 1 }
            let length = end - position
            if length == 0 || length == 1 && name[position] == 0x2e { continue }
            if length == 2, name[position] == 0x2e, name[position + 1] == 0x2e {
                guard let start = starts.popLast() else { return nil }
                bytes.removeSubrange(max(prefix.count, start - 1)...)
                continue
            }
            if !bytes.isEmpty { bytes.append(0x2f) }
            starts.append(bytes.count)
            for byte in name[position..<end] { bytes.append(CChar(bitPattern: byte)) }
        }
        nameStart = starts.last ?? prefix.count
        depth = starts.count
        bytes.append(0)
        self.bytes = bytes
    }

    /// The same place with another last component.
    package init(_ path: EntryPath, renamed name: ArraySlice<CChar>) {
        bytes = Array(path.bytes[..<path.nameStart]) + name
        nameStart = path.nameStart
        depth = path.depth
    }

    /// Runs `body` with the last component as a C string.
    package func withName<R: ~Copyable>(
        _ body: (UnsafePointer<CChar>) throws(SystemError) -> R
    ) throws(SystemError) -> R {
        // Through a result, since the closure of the standard library's function cannot return what is not copied.
        var result: R?
        try bytes.withUnsafeBufferPointer { buffer throws(SystemError) in
            guard let base = buffer.baseAddress else { return }
            result = try body(base + nameStart)
        }
        guard let result = result.take() else { fatalError("a path ends with NUL, so it has a first byte") }
        return result
    }

    package var display: String {
        String(decoding: bytes.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
