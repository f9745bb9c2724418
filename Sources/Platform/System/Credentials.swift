// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// User, groups and capabilities of this process. Bit N of a set is capability N.
package enum Credentials {
    /// The kernel's word for "as before" in these calls, which would leave the process what it is.
    private static let unchanged = UInt32.max

    /// setgroups(2).
    /// - Throws: `EINVAL` for 4294967295.
    package static func setGroups(_ groups: [UInt32]) throws(SystemError) {
        guard !groups.contains(unchanged) else { throw SystemError("setgroups", code: EINVAL) }
        guard setgroups(groups.count, groups) == 0 else { throw SystemError("setgroups", code: errno) }
    }

    /// setresgid(2), all three alike.
    /// - Throws: `EINVAL` for 4294967295.
    package static func setGroup(_ group: UInt32) throws(SystemError) {
        guard group != unchanged else { throw SystemError("setresgid", path: "\(group)", code: EINVAL) }
        let raw = petrel_syscall(Int(SYS_setresgid), Int(group), Int(group), Int(group), 0, 0, 0)
        guard raw == 0 else { throw SystemError("setresgid", path: "\(group)", code: errno) }
    }

    /// setresuid(2), all three alike.
    /// - Throws: `EINVAL` for 4294967295.
    package static func setUser(_ user: UInt32) throws(SystemError) {
        guard user != unchanged else { throw SystemError("setresuid", path: "\(user)", code: EINVAL) }
        let raw = petrel_syscall(Int(SYS_setresuid), Int(user), Int(user), Int(user), 0, 0, 0)
        guard raw == 0 else { throw SystemError("setresuid", path: "\(user)", code: errno) }
    }

    // MARK: - Capabilities

    package struct Capabilities: Hashable, Sendable {
        package var effective: UInt64
        package var permitted: UInt64
        package var inheritable: UInt64

        package init(effective: UInt64, permitted: UInt64, inheritable: UInt64) {
            self.effective = effective
            self.permitted = permitted
            self.inheritable = inheritable
        }
    }

    /// The header of capget and capset: version 3, this thread.
    private static var header: [UInt32] { [0x2008_0522, 0] }

    /// capget(2).
    package static func capabilities() throws(SystemError) -> Capabilities {
        // Two records of effective, permitted, inheritable, u32 each: the low halves, then the high ones.
        var data = [UInt32](repeating: 0, count: 6)
        let result = header.withUnsafeBytes { header in
            data.withUnsafeMutableBytes { data in
                petrel_syscall(
                    Int(SYS_capget),
                    Int(bitPattern: header.baseAddress),
                    Int(bitPattern: data.baseAddress),
                    0,
                    0,
                    0,
                    0
                )
            }
        }
        let code = errno
        guard result == 0 else { throw SystemError("capget", code: code) }
        func set(_ index: Int) -> UInt64 { UInt64(data[index]) | UInt64(data[index + 3]) << 32 }
        return Capabilities(effective: set(0), permitted: set(1), inheritable: set(2))
    }

    /// capset(2).
    /// - Throws: `EPERM` for a permitted one that the process does not have.
    package static func setCapabilities(_ sets: Capabilities) throws(SystemError) {
        let words = [sets.effective, sets.permitted, sets.inheritable]
        let data =
            words.map { UInt32(truncatingIfNeeded: $0) } + words.map { UInt32(truncatingIfNeeded: $0 >> 32) }
        let result = header.withUnsafeBytes { header in
            data.withUnsafeBytes { data in
                petrel_syscall(
                    Int(SYS_capset),
                    Int(bitPattern: header.baseAddress),
                    Int(bitPattern: data.baseAddress),
                    0,
                    0,
                    0,
                    0
                )
            }
        }
        let code = errno
        guard result == 0 else { throw SystemError("capset", code: code) }
    }

    /// Whether a capability is in the bounding set; nil when the kernel has no such capability.
    package static func boundingHolds(_ capability: Int) -> Bool? {
        let result = control(23, capability)
        return result < 0 ? nil : result == 1
    }

    /// Takes a capability out of the bounding set for good.
    package static func dropBounding(_ capability: Int) throws(SystemError) {
        guard control(24, capability) == 0 else { throw SystemError("prctl(PR_CAPBSET_DROP)", code: errno) }
    }

    /// Keeps the permitted set over the change to another user (`PR_SET_KEEPCAPS`).
    package static func keepCapabilities() throws(SystemError) {
        guard control(8, 1) == 0 else { throw SystemError("prctl(PR_SET_KEEPCAPS)", code: errno) }
    }

    package static func clearAmbient() throws(SystemError) {
        guard control(47, 4) == 0 else { throw SystemError("prctl(PR_CAP_AMBIENT_CLEAR_ALL)", code: errno) }
    }

    /// - Throws: `EPERM` when the capability is not both permitted and inheritable.
    package static func raiseAmbient(_ capability: Int) throws(SystemError) {
        guard control(47, 2, capability) == 0 else {
            throw SystemError("prctl(PR_CAP_AMBIENT_RAISE)", code: errno)
        }
    }

    /// Executed programs gain no rights by set-id bits or file capabilities, for good.
    package static func forbidNewPrivileges() throws(SystemError) {
        guard control(38, 1) == 0 else { throw SystemError("prctl(PR_SET_NO_NEW_PRIVS)", code: errno) }
    }

    /// Hides this process's memory and `/proc` links from processes of other rights, until it executes a program.
    package static func hideFromTracing() throws(SystemError) {
        guard control(4, 0) == 0 else { throw SystemError("prctl(PR_SET_DUMPABLE)", code: errno) }
    }

    private static func control(_ option: Int, _ first: Int, _ second: Int = 0) -> Int {
        petrel_syscall(Int(SYS_prctl), option, first, second, 0, 0, 0)
    }
}

/// seccomp(2).
package enum SystemCallFilter {
    /// How the filter is installed.
    package struct Flags: OptionSet, Hashable, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }

        package static let threadSync = Flags(rawValue: 1)
        package static let log = Flags(rawValue: 2)
        package static let allowSpeculation = Flags(rawValue: 4)
    }

    /// Installs a filter for good: an array of `struct sock_filter`, 8 bytes each.
    /// - Throws: `EACCES` without no_new_privs and CAP_SYS_ADMIN; `EINVAL` for a program that the kernel refuses.
    package static func install(_ program: [UInt8], flags: Flags = []) throws(SystemError) {
        guard !program.isEmpty, program.count % 8 == 0, program.count / 8 <= 4096 else {
            throw SystemError("seccomp", code: EINVAL)
        }
        let (result, code) = program.withUnsafeBytes { program -> (Int, Int32) in
            // struct sock_fprog: length u16, padded to 8; pointer.
            var record = (UInt64(program.count / 8), UInt64(UInt(bitPattern: program.baseAddress)))
            let result = withUnsafeMutablePointer(to: &record) { record in
                petrel_syscall(Int(SYS_seccomp), 1, Int(flags.rawValue), Int(bitPattern: record), 0, 0, 0)
            }
            return (result, errno)
        }
        guard result == 0 else { throw SystemError("seccomp", code: code) }
    }
}

extension SystemCallFilter {
    /// Reads a program that this suite wrote: a regular file of the same user, writable by nobody else, of whole
    /// instructions and at most 4096 of them.
    /// - Throws: `EPERM` for a file of others; `EINVAL` for content that can be no program.
    package static func program(at path: String) throws(SystemError) -> [UInt8] {
        let file = try Files.open(path, [.readOnly, .noFollow])
        let status = try Files.status(ofDescriptor: file.raw)
        guard status.kind == .regular, status.user == geteuid(), status.permissions & 0o022 == 0 else {
            throw SystemError("verify", path: path, code: EPERM)
        }
        let bytes = try Files.contents(of: file.raw, limit: 4096 * 8, path: path)
        guard !bytes.isEmpty, bytes.count % 8 == 0 else {
            throw SystemError("verify", path: path, code: EINVAL)
        }
        return bytes
    }
}
