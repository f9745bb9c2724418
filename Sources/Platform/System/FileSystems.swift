// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// What an open file lies on.
package enum FileSystems {
    /// statfs(2), type: file systems in which the kernel shows itself, and whose files are no data of anybody.
    private static let kernelViews: Set<UInt32> = [
        0x9fa0,  // proc
        0x6265_6572,  // sysfs
        0x27_e0eb, 0x6367_7270,  // cgroup, cgroup2
        0x1cd1,  // devpts
        0x1980_0202,  // mqueue
        0x7363_6673,  // securityfs
        0x6462_6720, 0x7472_6163,  // debugfs, tracefs
        0xcafe_4a11,  // bpf
        0x6165_676c,  // pstore
        0x6265_6570,  // configfs
        0x4249_4e4d,  // binfmt_misc
        0xf97c_ff8c,  // selinuxfs
    ]

    /// Whether a file shows the kernel's own state.
    package static func isKernelView(_ file: Int32) throws(SystemError) -> Bool {
        // struct statfs, 120 bytes on 64-bit machines; its first word is the type.
        var status = [UInt64](repeating: 0, count: 16)
        let result = status.withUnsafeMutableBytes {
            petrel_syscall(Int(SYS_fstatfs), Int(file), Int(bitPattern: $0.baseAddress), 0, 0, 0, 0)
        }
        let code = errno
        guard result == 0 else { throw SystemError("fstatfs", code: code) }
        return kernelViews.contains(UInt32(truncatingIfNeeded: status[0]))
    }

    /// Whether the mount, or the file system, that a file was reached by takes no changes.
    package static func isReadOnly(_ file: Int32) throws(SystemError) -> Bool {
        var status = statvfs()
        guard fstatvfs(file, &status) == 0 else { throw SystemError("fstatvfs", code: errno) }
        return status.f_flag & 1 != 0  // ST_RDONLY
    }
}
