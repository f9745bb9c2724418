// SPDX-License-Identifier: Apache-2.0
internal import Layers
internal import Logging
internal import OCI
internal import System

/// Small content, which is handled whole: manifests and configurations.
extension ImageStore {
    /// The bytes of a blob that the catalogue has, checked against its digest; nil when it has none.
    func storedBlob(_ digest: Digest, limit: Int) async throws(ImageStoreError) -> [UInt8]? {
        guard try await catalog.transaction({ try Catalog.hasBlob($0, digest.hex) }) else { return nil }
        do throws(SystemError) {
            let bytes = try Files.contents(of: directory.blob(digest), limit: limit)
            guard Digest(of: bytes) == digest else {
                logger.error("a blob on disk is damaged", metadata: ["blob": "\(digest)"])
                return nil
            }
            return bytes
        } catch {
            guard error.code != 2 else { return nil }
            throw ImageStoreError(error, subject: "\(digest)", path: directory.path)
        }
    }

    /// Keeps bytes whose digest was checked. The caller has pinned it.
    func store(_ bytes: [UInt8], as digest: Digest, operation: String) async throws {
        try await turns.take("blob " + digest.hex) {
            let place = directory.blob(digest)
            let isThere = try await catalog.transaction { try Catalog.hasBlob($0, digest.hex) }
            if isThere, let present = try? Files.contents(of: place, limit: bytes.count), present == bytes {
                return
            }
            let ingest = try directory.ingest(operation)
            defer { directory.discard(ingest) }
            do throws(SystemError) {
                let file = try Files.open(ingest + "/blob", [.writeOnly, .create, .exclusive])
                try Files.writeAll(file.raw, bytes)
                try Files.sync(file.raw)
                try Files.rename(ingest + "/blob", to: place)
                try Files.syncDirectory(directory.blobs)
            } catch {
                throw ImageStoreError(error, subject: "\(digest)", path: directory.path)
            }
            faults.reach("image-store.\(operation).blob-renamed")
            try await catalog.transaction {
                try Catalog.insertBlob($0, digest.hex, sizeBytes: Int64(bytes.count))
            }
        }
    }
}
