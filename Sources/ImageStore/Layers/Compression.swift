// SPDX-License-Identifier: Apache-2.0
package import Tar

extension Compression {
    /// Looks at the first bytes of `source`; what it took from it is in front of the source that it gives back.
    package static func sniff(_ source: any ByteSource) throws(ArchiveError) -> (Compression, any ByteSource)
    {
        var head: [UInt8] = []
        while head.count < 4 {
            let chunk = try source.next()
            if chunk.isEmpty { break }
            head += chunk
        }
        return (Compression(head: head), PrefixedSource(head, source))
    }

    /// The uncompressed bytes of `source`, whatever compression it has.
    package static func expanding(_ source: any ByteSource) throws(ArchiveError) -> (
        Compression, any ByteSource
    ) {
        let (kind, whole) = try sniff(source)
        switch kind {
        case .none: return (kind, whole)
        case .gzip: return (kind, GzipSource(whole))
        case .zstd: return (kind, try ZstdSource(whole))
        }
    }
}
