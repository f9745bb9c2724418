// SPDX-License-Identifier: Apache-2.0
package import OCI
package import Tar

/// What a layer turned out to be when it had been read to its end.
package struct UnpackedLayer: Sendable {
    /// Of the bytes as they came.
    package let blob: Digest
    package let blobBytes: Int64
    /// Of the uncompressed tar stream.
    package let diffID: Digest
    package let tarBytes: Int64
    package let compression: Compression
    package let entryCount: Int
    /// Of its regular files.
    package let contentBytes: Int64
    /// Nil when the layer has no entry for its root.
    package let root: RootAttributes?
}

/// A layer on its way from where it comes to a directory: hashed as it comes, expanded, hashed again, unpacked.
package enum LayerStream {
    /// Unpacks all of `source` into `directory`, which should be empty.
    ///
    /// Blocks for as long as the source does. The digests are those of what was read; comparing them with those wanted is
    /// the caller's, and until then the directory must be visible to nobody.
    /// - Parameter copy: A file that gets the bytes as they come.
    /// - Parameter budget: The image's, shared by its layers.
    /// - Throws: `.limit` for a bomb; `.refused` for hostile entries; `.system` where the disk is full, for example. The
    ///   directory is left as it is then; the caller removes it.
    package static func unpack(
        _ source: any ByteSource,
        into directory: Int32,
        copyingTo copy: Int32? = nil,
        budget: UnpackBudget = UnpackBudget()
    ) throws(ArchiveError) -> UnpackedLayer {
        let blob = HashingSource(source, copyingTo: copy)
        let (compression, expanded) = try Compression.expanding(blob)
        let tar = HashingSource(BoundedSource(expanded, of: blob, budget: budget))
        let reader = TarReader(tar)
        let unpacker = Unpacker(root: directory, budget: budget)
        while let entry = try reader.next() { try unpacker.unpack(entry, from: reader) }
        // What stands behind the last compressed frame belongs to the blob's digest too.
        try blob.drain()
        try unpacker.finish()
        return UnpackedLayer(
            blob: blob.digest,
            blobBytes: blob.count,
            diffID: tar.digest,
            tarBytes: tar.count,
            compression: compression,
            entryCount: unpacker.entryCount,
            contentBytes: unpacker.contentBytes,
            root: unpacker.rootAttributes
        )
    }
}
