// SPDX-License-Identifier: Apache-2.0
internal import FileTrees

/// Names in archives that are looked up, not unpacked.
package enum ArchiveName {
    /// Relative, without `.`, `..` and double slashes; nil when `..` leads out of the archive.
    package static func normalized(_ name: [UInt8]) -> String? { EntryPath(name)?.display }
}
