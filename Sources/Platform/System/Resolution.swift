// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// How openat2(2) may walk a path. The kernel keeps these promises for every component, whatever is renamed
/// meanwhile; a check of the string beforehand could not.
package struct Resolution: OptionSet, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// `RESOLVE_NO_XDEV`: refuses to enter another mount, with `EXDEV`.
    package static let withinMount = Resolution(rawValue: 0x01)
    /// `RESOLVE_NO_MAGICLINKS`: refuses links such as `/proc/PID/fd/N`, with `ELOOP`.
    package static let noMagicLinks = Resolution(rawValue: 0x02)
    /// `RESOLVE_NO_SYMLINKS`: refuses every symbolic link, with `ELOOP`.
    package static let noSymbolicLinks = Resolution(rawValue: 0x04)
    /// `RESOLVE_BENEATH`: refuses to leave the directory, with `EXDEV`.
    package static let beneath = Resolution(rawValue: 0x08)
    /// `RESOLVE_IN_ROOT`: the directory is `/` for absolute paths, absolute links and `..`.
    package static let inRoot = Resolution(rawValue: 0x10)
}

extension Files {
    /// openat2(2): opens `path` beneath `directory`, resolved as `resolution` allows.
    ///
    /// Repeats on `EAGAIN`, which the kernel reports when a rename raced with a walk that it has to prove safe.
    /// - Parameter path: A String, or bytes that end with NUL for names that are not UTF-8.
    /// - Parameter mode: Permissions of a created file; ignored without `.create`.
    package static func open(
        _ path: UnsafePointer<CChar>,
        _ flags: OpenFlags,
        mode: UInt32 = 0o644,
        at directory: Int32,
        resolving resolution: Resolution
    ) throws(SystemError) -> Descriptor {
        // struct open_how: flags u64, mode u64, resolve u64.
        var how = (
            UInt64(UInt32(bitPattern: flags.rawValue | O_CLOEXEC)),
            flags.contains(.create) ? UInt64(mode) : 0,
            resolution.rawValue
        )
        for _ in 0..<100 {
            let (raw, code) = withUnsafeMutablePointer(to: &how) { how -> (Int, Int32) in
                let raw = petrel_syscall(
                    Int(SYS_openat2),
                    Int(directory),
                    Int(bitPattern: path),
                    Int(bitPattern: how),
                    24,
                    0,
                    0
                )
                return (raw, errno)
            }
            if raw >= 0 { return Descriptor(adopting: Int32(raw)) }
            guard code == EINTR || code == EAGAIN else {
                throw SystemError("openat2", path: String(cString: path), code: code)
            }
        }
        throw SystemError("openat2", path: String(cString: path), code: EAGAIN)
    }
}
