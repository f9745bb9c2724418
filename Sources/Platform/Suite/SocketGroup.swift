// SPDX-License-Identifier: Apache-2.0
internal import System

/// The group whose members may use the engine as root does: `petrel`, where the machine has one.
package enum SocketGroup {
    package static let name = "petrel"

    /// The group's number; nil where there is none. Read from the file itself: static executables have no other way.
    package static func id(in file: String = "/etc/group") -> UInt32? {
        guard let text = try? Files.text(of: file) else { return nil }
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            if fields.count >= 3, fields[0] == name { return UInt32(fields[2]) }
        }
        return nil
    }

    /// For a socket of this mode: the group where the mode lets a group in.
    package static func id(forMode mode: UInt32) -> UInt32? { mode & 0o060 == 0 ? nil : id() }
}
