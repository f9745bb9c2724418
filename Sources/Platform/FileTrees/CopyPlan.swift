// SPDX-License-Identifier: Apache-2.0

/// Where a copy ends up, by Docker's rules: the directory to unpack in, and what the top of the archive is called there.
///
/// Source followed: docker/cli, "docker container cp", the table in its description.
package struct CopyPlan: Hashable, Sendable {
    package enum Refusal: Error, Hashable, Sendable {
        /// A directory onto something that is none.
        case directoryOntoFile
        /// A file into a directory that is not there.
        case noSuchDirectory
    }

    /// What is at the destination.
    package enum Present: Hashable, Sendable { case nothing, directory, other }

    package let directory: CopyPath
    /// Nil: as the source is called.
    package let name: String?

    package init(
        copyingDirectory isDirectory: Bool,
        to destination: CopyPath,
        where present: Present
    ) throws(Refusal) {
        switch present {
        case .directory: (directory, name) = (destination, nil)
        case .other:
            if isDirectory { throw .directoryOntoFile }
            (directory, name) = (destination.parent, destination.base)
        case .nothing:
            if !isDirectory, destination.assertsDirectory { throw .noSuchDirectory }
            // Of `new/.`, which is not there, the directory itself is made.
            let plain = CopyPath(destination.components)
            (directory, name) = (plain.parent, plain.base)
        }
    }
}

/// Renames the top of an archive, and keeps what is not below it out.
package struct ArchiveTop: Hashable, Sendable {
    private let old: [UInt8]
    private let new: [UInt8]

    /// - Parameters:
    ///   - base: What the top is called: `CopyPath.base`.
    ///   - name: What it is to be called; nil: the same.
    package init(_ base: String, renamed name: String?) {
        old = Array(base.utf8)
        new = name.map { Array($0.utf8) } ?? old
    }

    /// - Returns: Nil for a name that is neither the top nor below it.
    package func renamed(_ name: [UInt8]) -> [UInt8]? {
        if old == [0x2f] {
            guard name.first == 0x2f else { return nil }
            return new == old ? name : new + name
        }
        guard name.starts(with: old), name.count == old.count || name[old.count] == 0x2f else { return nil }
        return new + name[old.count...]
    }
}
