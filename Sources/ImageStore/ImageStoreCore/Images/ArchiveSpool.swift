// SPDX-License-Identifier: Apache-2.0
internal import Layers
internal import OCI
internal import System
internal import Tar

/// The members of an archive as files in an ingest directory, since the member that explains the others may come last.
struct ArchiveSpool: Sendable {
    struct Member: Hashable, Sendable {
        let file: String
        let digest: Digest
        let sizeBytes: Int64
    }

    private enum Entry: Sendable {
        case member(Member)
        case link(to: String)
    }

    private static let maximumEntries = 100_000
    /// Of all names in it, and of what links name.
    private static let maximumNameBytes = 16 << 20
    private var entries: [String: Entry] = [:]
    private var nameBytes = 0

    /// Reads an archive to its end: tar, plain or compressed. Blocking.
    init(reading source: any ByteSource, into ingest: String) throws {
        let compressed = HashingSource(source)
        let (kind, expanded) = try Compression.expanding(compressed)
        let reader = TarReader(BoundedSource(expanded, of: compressed, budget: UnpackBudget()))
        var count = 0
        while let entry = try Self.next(reader, isFirst: count == 0, kind) {
            count += 1
            guard count <= Self.maximumEntries else {
                throw ArchiveError.limit(.entries(Self.maximumEntries))
            }
            guard let name = ArchiveName.normalized(entry.name) else {
                throw ArchiveError.refused(entry: entry.displayName, .leavesRoot)
            }
            try add(entry, name, reader, ingest: ingest, number: count)
        }
        guard count > 0 else { throw ImageStoreError.notAnArchive(reason: "it is empty") }
    }

    private static func next(_ reader: TarReader, isFirst: Bool, _ kind: Compression) throws -> TarEntry? {
        let failure: ArchiveError
        do throws(ArchiveError) { return try reader.next() } catch { failure = error }
        if isFirst, case .tar(_, .notTar) = failure {
            throw ImageStoreError.notAnArchive(
                reason: kind == .none ? "it is no tar" : "what is compressed in it is no tar"
            )
        }
        throw failure
    }

    private mutating func add(
        _ entry: TarEntry,
        _ name: String,
        _ reader: TarReader,
        ingest: String,
        number: Int
    ) throws {
        nameBytes += entry.name.count + entry.linkTarget.count
        guard nameBytes <= Self.maximumNameBytes else {
            throw ArchiveError.limit(.nameBytes(Self.maximumNameBytes))
        }
        switch entry.kind {
        case .regular:
            let path = "\(ingest)/\(number)"
            let file = try Files.open(path, [.writeOnly, .create, .exclusive])
            let hashing = HashingSource(ContentSource(reader), copyingTo: file.raw)
            try hashing.drain()
            try file.close()
            entries[name] = .member(Member(file: path, digest: hashing.digest, sizeBytes: hashing.count))
        case .symbolicLink:
            // Docker's older archives name a layer that occurs twice by a link.
            let parent = name.split(separator: "/").dropLast().joined(separator: "/")
            let target = Array((parent + "/").utf8) + entry.linkTarget
            if let target = ArchiveName.normalized(target) { entries[name] = .link(to: target) }
        case .hardLink:
            if let target = ArchiveName.normalized(entry.linkTarget) { entries[name] = .link(to: target) }
        default: break
        }
    }

    /// A file of the archive, through links.
    subscript(name: String) -> Member? {
        var name = ArchiveName.normalized(Array(name.utf8)) ?? ""
        for _ in 0..<10 {
            switch entries[name] {
            case .member(let member): return member
            case .link(let target): name = target
            case nil: return nil
            }
        }
        return nil
    }

    func contains(_ name: String) -> Bool { self[name] != nil }

    /// - Throws: `.notAnArchive` when there is no such file.
    func member(_ name: String) throws(ImageStoreError) -> Member {
        guard let member = self[name] else {
            throw .notAnArchive(reason: "it has no \"\(name.prefix(200))\", which it refers to")
        }
        return member
    }

    func bytes(_ member: Member, limit: Int) throws(ImageStoreError) -> [UInt8] {
        do throws(SystemError) {
            return try Files.contents(of: member.file, limit: limit)
        } catch {
            if error.code == 27 {
                throw .malformed(
                    subject: "\(member.digest)",
                    .malformed(document: "archive", "a document in it exceeds \(limit) bytes")
                )
            }
            throw ImageStoreError(error, subject: "archive")
        }
    }
}
