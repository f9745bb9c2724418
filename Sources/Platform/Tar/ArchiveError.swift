// SPDX-License-Identifier: Apache-2.0
package import System

/// Why an archive could not be read, written, packed or unpacked.
package enum ArchiveError: Error, Sendable, CustomStringConvertible {
    /// A tar stream that is no tar, or is broken, at a byte offset of the uncompressed stream.
    case tar(offset: Int64, TarFault)
    /// A compressed stream that is broken.
    case compression(Compression, String)
    /// The stream ended too early.
    case truncated(Compression)
    /// An entry that is refused.
    case refused(entry: String, Refusal)
    /// A system call on an entry that failed.
    case system(entry: String, SystemError)
    /// More than the limits allow.
    case limit(Limit)
    /// Reading what comes in failed.
    case source(any Error)
    /// Writing what goes out failed.
    case sink(SystemError)
    /// A file became another one, or shorter, while it was read.
    case changed(entry: String)
    /// The caller no longer wants it.
    case cancelled

    /// What is wrong in a tar stream.
    package enum TarFault: Hashable, Sendable {
        case notTar
        case badChecksum
        case badNumber(field: String)
        case badExtendedHeader(String)
        case tooLongExtendedHeader
        case unknownType(UInt8)
        case sparse
        case truncated
        case strayZeroBlock
    }

    /// Why an entry is refused.
    package enum Refusal: Hashable, Sendable {
        case emptyName
        case tooLongName(limit: Int)
        case leavesRoot
        case badWhiteout
        case tooDeep(limit: Int)
        case linkLeavesRoot(target: String)
        case linkTargetMissing(target: String)
        case parentIsNoDirectory
        case rootIsNoDirectory
        /// Something else than a directory, where a directory is; or the other way round.
        case replacesDirectory
        case replacedByDirectory
    }

    /// A limit that was exceeded.
    package enum Limit: Hashable, Sendable {
        case entries(Int)
        /// Of the names that have to be remembered.
        case nameBytes(Int)
        case bytes(Int64)
        case ratio(Int64)
    }

    package var description: String {
        switch self {
        case .tar(let offset, let fault): "tar archive, byte \(offset): \(fault.text)"
        case .compression(let kind, let reason): "\(kind.rawValue) stream: \(reason)"
        case .truncated(let kind):
            kind == .none ? "the data ends too early" : "\(kind.rawValue) stream: ends too early"
        case .refused(let entry, let reason): "entry \(Self.quoted(entry)): \(reason.text)"
        case .system(let entry, let error): "entry \(Self.quoted(entry)): \(error)"
        case .limit(.entries(let limit)): "more than \(limit) entries"
        case .limit(.nameBytes(let limit)): "its names take more than \(limit) bytes"
        case .limit(.bytes(let limit)): "more than \(limit) bytes when uncompressed"
        case .limit(.ratio(let ratio)): "expands to more than \(ratio) times its size"
        case .source(let error): "\(error)"
        case .sink(let error): "\(error)"
        case .changed(let entry): "entry \(Self.quoted(entry)): changed while it was read"
        case .cancelled: "cancelled"
        }
    }

    private static func quoted(_ text: String) -> String {
        let shown = text.unicodeScalars.prefix(300).map {
            $0.value < 0x20 || $0.value == 0x7f ? "?" : String($0)
        }
        return "\"" + shown.joined() + "\""
    }
}

extension ArchiveError.TarFault {
    var text: String {
        switch self {
        case .notTar: "this is no tar header"
        case .badChecksum: "the header's checksum is wrong"
        case .badNumber(let field): "the header's \(field) is no number, or out of range"
        case .badExtendedHeader(let reason): "bad extended header: \(reason)"
        case .tooLongExtendedHeader: "an extended header exceeds 1 MiB"
        case .unknownType(let type): "entries of type \(type) are not supported"
        case .sparse: "sparse files are not supported"
        case .truncated: "it ends in the middle of an entry"
        case .strayZeroBlock: "a single block of zeros between entries"
        }
    }
}

extension ArchiveError.Refusal {
    var text: String {
        switch self {
        case .emptyName: "it has no name"
        case .tooLongName(let limit): "its name, or what it links to, is longer than \(limit) bytes"
        case .leavesRoot: "its name leads out of the root"
        case .badWhiteout: "it removes nothing that can be named"
        case .tooDeep(let limit): "it lies deeper than \(limit) directories"
        case .linkLeavesRoot(let target): "its hard link to \"\(target.prefix(300))\" leads out of the root"
        case .linkTargetMissing(let target):
            "its hard link's target \"\(target.prefix(300))\" is not there"
        case .parentIsNoDirectory: "a parent of it is no directory"
        case .rootIsNoDirectory: "the root must be a directory"
        case .replacesDirectory: "cannot overwrite a directory with what is none"
        case .replacedByDirectory: "cannot overwrite with a directory what is none"
        }
    }
}
