// SPDX-License-Identifier: Apache-2.0
internal import Crypto
package import OCI
internal import System
package import Tar

/// Passes bytes on, and meanwhile counts them, hashes them, and writes them to a file if there is one.
package final class HashingSource: ByteSource {
    private let source: any ByteSource
    private let copy: Int32?
    private var hash = SHA256()
    /// How many bytes went through.
    package private(set) var count: Int64 = 0

    /// - Parameter copy: A file that gets all bytes too; the caller keeps it open.
    package init(_ source: any ByteSource, copyingTo copy: Int32? = nil) {
        self.source = source
        self.copy = copy
    }

    package func next() throws(ArchiveError) -> UnsafeRawBufferPointer {
        let chunk = try source.next()
        guard !chunk.isEmpty else { return chunk }
        count += Int64(chunk.count)
        hash.update(bufferPointer: chunk)
        if let copy {
            do throws(SystemError) { try Files.writeAll(copy, chunk) } catch { throw .source(error) }
        }
        return chunk
    }

    /// Reads to the end.
    package func drain() throws(ArchiveError) {
        while try !next().isEmpty {}
    }

    /// Of what went through until now.
    package var digest: OCI.Digest { OCI.Digest(sha256: hash.finalize()) }
}

extension OCI.Digest {
    /// The digest of `bytes`.
    package init(of bytes: [UInt8]) { self.init(sha256: SHA256.hash(data: bytes)) }
}
