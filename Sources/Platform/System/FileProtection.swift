// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// The flags of an inode that keep even root from removing it: immutable and append-only (`chattr +i`, `+a`).
extension Files {
    // FS_IOC_GETFLAGS and FS_IOC_SETFLAGS on 64-bit machines; FS_IMMUTABLE_FL and FS_APPEND_FL.
    private static let getFlags: UInt = 0x8008_6601
    private static let setFlags: UInt = 0x4008_6602
    private static let protection: UInt32 = 0x10 | 0x20

    /// Takes the flags from an open file or directory.
    /// - Returns: Whether it had any and has none now; false on file systems without flags.
    static func clearProtection(ofDescriptor file: Int32) -> Bool {
        var flags: UInt32 = 0
        guard petrel_ioctl(file, getFlags, &flags) == 0, flags & protection != 0 else { return false }
        flags &= ~protection
        return petrel_ioctl(file, setFlags, &flags) == 0
    }

    /// The same by name. Only files and directories have such flags, and opening anything else could do something.
    static func clearProtection(of name: UnsafePointer<CChar>, at directory: Int32) -> Bool {
        guard let status = try? status(of: name, at: directory),
            status.kind == .regular || status.kind == .directory,
            let file = try? open(
                name,
                [.readOnly, .noFollow, .nonBlocking],
                at: directory,
                resolving: [.noMagicLinks]
            )
        else { return false }
        return clearProtection(ofDescriptor: file.raw)
    }

    /// unlinkat(2), and once more without the flags of the file.
    ///
    /// - Parameter freesDirectory: Also without those of the directory that it lies in, which is to be removed too.
    /// - Returns: The error number, 0 for success.
    static func unlink(
        _ name: UnsafePointer<CChar>,
        flags: Int32,
        at directory: Int32,
        freesDirectory: Bool
    ) -> Int32 {
        if Glibc.unlinkat(directory, name, flags) == 0 { return 0 }
        let code = errno
        guard code == EPERM else { return code }
        let isOpen = freesDirectory && clearProtection(ofDescriptor: directory)
        let isFree = clearProtection(of: name, at: directory)
        guard isOpen || isFree else { return code }
        return Glibc.unlinkat(directory, name, flags) == 0 ? 0 : errno
    }
}
