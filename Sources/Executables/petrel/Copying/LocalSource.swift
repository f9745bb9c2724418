// SPDX-License-Identifier: Apache-2.0
import FileTrees
import System
import Tar

/// A file or directory of this machine that is to be packed.
struct LocalSource: Sendable {
    let isDirectory: Bool
    /// What it is called unless the destination says otherwise: as it was asked for, also where that is a link.
    let name: String
    /// Where it is in truth.
    private let path: CopyPath

    /// - Throws: `ENOENT`; `ENOTDIR` for a file that is asked for as a directory.
    init(_ path: CopyPath, followsLink: Bool) throws {
        name = path.base
        var path = path
        if path.assertsDirectory {
            // As a directory, a link is always followed.
            let directory = try Files.open(path.text, [.path, .directory])
            isDirectory = try Files.status(ofDescriptor: directory.raw).kind == .directory
        } else {
            var status = try Files.status(of: path.text)
            if followsLink, status.kind == .symbolicLink {
                let place = try Files.open(path.text, .path)
                path = CopyPath(try Files.link(at: "/proc/self/fd/\(place.raw)"))
                status = try Files.status(of: path.text)
            }
            isDirectory = status.kind == .directory
        }
        self.path = path
    }

    /// Packs it whole.
    /// - Returns: How long the archive is, extended headers left out.
    func pack(
        to pipe: consuming Descriptor,
        called name: String,
        owner: (user: UInt32, group: UInt32)?
    ) throws -> Int64 {
        let sink = FileSink(pipe.raw)
        let writer = TarWriter(sink)
        var rules = PackRules()
        rules.owner = owner
        let packer = TreePacker(writer, rules: rules)
        let archived = Array(name.utf8)
        if path.assertsDirectory || path.components.isEmpty {
            try packer.pack(directory: try Files.open(path.text, [.readOnly, .directory]), as: archived)
        } else {
            let parent = try Files.open(path.parent.text, [.path, .directory])
            let last = path.base.utf8.map { CChar(bitPattern: $0) } + [0]
            try packer.pack(last, in: parent.raw, as: archived)
        }
        try writer.finish()
        try sink.flush()
        try pipe.close()
        return writer.plainBytes
    }
}
