// SPDX-License-Identifier: Apache-2.0
internal import OCI
internal import System

/// The store's directory: `blobs/sha256`, `oci-layout`, `index.json`, `layers`, `snapshots`, `ingest`, `store.db`.
///
/// What is being made lies in `ingest`, which no start leaves as it was; what is finished is renamed into its place and
/// then recorded in the catalogue. A directory without a record is nobody's.
struct StoreDirectory: Sendable {
    let path: String
    let faults: FaultPoints

    /// Makes what is missing, with the marker of an OCI layout.
    init(path: String, faults: FaultPoints) throws(SystemError) {
        self.path = path
        self.faults = faults
        for name in ["", "/blobs", "/blobs/sha256", "/layers", "/snapshots", "/ingest"]
        where !Files.exists(path + name) {
            try Files.makeDirectories(path + name, mode: name.isEmpty ? 0o711 : 0o700)
        }
        if !Files.exists(emptyLayer) { try Files.makeDirectories(emptyLayer, mode: 0o755) }
        if !Files.exists(path + "/oci-layout") {
            try Files.replace(
                path + "/oci-layout",
                with: Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8),
                mode: 0o644
            )
        }
    }

    var database: String { path + "/store.db" }
    var index: String { path + "/index.json" }
    var blobs: String { path + "/blobs/sha256" }
    var layers: String { path + "/layers" }
    var snapshots: String { path + "/snapshots" }
    /// The lower directory of images without layers, since overlayfs wants one.
    var emptyLayer: String { layers + "/empty" }

    func blob(_ digest: Digest) -> String { "\(blobs)/\(digest.hex)" }
    func layer(_ hex: String) -> String { "\(layers)/\(hex)" }
    func snapshot(_ name: String) -> String { "\(snapshots)/\(name)" }

    /// Whether a snapshot is there: its upper directory, which is made last.
    /// - Throws: when that cannot be seen now: only absence is absence.
    func hasSnapshot(_ name: String) throws(SystemError) -> Bool {
        do throws(SystemError) { _ = try Files.status(of: snapshot(name) + "/upper") } catch {
            guard error.code == ErrorNumber.notFound else { throw error }
            return false
        }
        return true
    }

    /// Brings a snapshot's own files and its name to the disk. Blocks.
    func syncSnapshot(_ name: String) throws(SystemError) {
        try Files.syncDirectory(snapshot(name) + "/upper")
        try Files.syncDirectory(snapshot(name))
        try Files.syncDirectory(snapshots)
    }

    /// A new directory in `ingest`, which `discard` or the next start removes.
    func ingest(_ purpose: String) throws(SystemError) -> String {
        let directory = "\(path)/ingest/\(purpose)-\(try SystemEnvironment.randomHexadecimal(bytes: 8))"
        try Files.makeDirectory(directory, mode: 0o700)
        return directory
    }

    /// Removes an ingest directory; what cannot be removed now, the next start tries again.
    func discard(_ ingest: String) { try? Files.removeTree(ingest) }

    /// Removes what has no record any more: takes it out of sight at once where it can be, then removes it.
    func remove(_ path: String, faultPoint: String) throws(SystemError) {
        guard Files.exists(path) else { return }
        do throws(SystemError) {
            let aside = try ingest("removed")
            defer { discard(aside) }
            try Files.rename(path, to: aside + "/tree")
            faults.reach(faultPoint)
        } catch {
            // A full disk may have no room for the directory: then it is removed where it is, which needs none.
            try Files.removeTree(path)
        }
    }

    /// Writes everything of the store's file system to disk.
    func syncAll() throws(SystemError) {
        let directory = try Files.open(path, [.readOnly, .directory])
        try Files.syncFileSystem(of: directory.raw)
    }

    /// Undoes what a killed process left: everything in `ingest`, and blobs, layers and snapshots that the catalogue
    /// does not know.
    /// What cannot be removed is in nobody's way, and is left to a later start.
    func removeUnrecorded(blobs: Set<String>, layers: Set<String>, snapshots: Set<String>) throws(SystemError)
        -> Sweep
    {
        var result = Sweep()
        func sweep(_ directory: String, _ known: Set<String>) throws(SystemError) {
            for name in try Files.names(in: directory) where !known.contains(name) {
                let path = "\(directory)/\(name)"
                do throws(SystemError) {
                    try Files.removeTree(path)
                    result.removed.append(path)
                } catch {
                    result.left.append((path, error))
                }
            }
        }
        try sweep(path + "/ingest", [])
        try sweep(self.blobs, blobs)
        try sweep(self.layers, layers.union(["empty"]))
        try sweep(self.snapshots, snapshots)
        return result
    }

    /// What became of leftovers.
    struct Sweep: Sendable {
        var removed: [String] = []
        var left: [(path: String, SystemError)] = []
    }
}
