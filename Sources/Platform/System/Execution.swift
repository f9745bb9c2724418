// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// What a process does to itself on its way to another program.
extension CurrentProcess {
    /// execve(2). Returns only to throw.
    package static func execute(_ path: String, _ arguments: [String], _ environment: [String])
        throws(SystemError)
    {
        let code = CStrings.with(arguments) { arguments in
            CStrings.with(environment) { environment -> Int32 in
                Glibc.execve(path, arguments, environment)
                return errno
            }
        }
        throw SystemError("execve", path: path, code: code)
    }

    /// _exit(2): without anything that exit(3) would run, as a cloned child must end.
    package static func leave(_ code: Int32) -> Never { _exit(code) }

    /// chdir(2).
    package static func enter(_ directory: String) throws(SystemError) {
        guard chdir(directory) == 0 else { throw SystemError("chdir", path: directory, code: errno) }
    }

    /// fchdir(2).
    package static func enter(_ directory: Int32) throws(SystemError) {
        guard fchdir(directory) == 0 else { throw SystemError("fchdir", code: errno) }
    }

    /// chroot(2) to the current directory.
    package static func setRootToCurrentDirectory() throws(SystemError) {
        guard chroot(".") == 0 else { throw SystemError("chroot", code: errno) }
    }

    /// Whether the current directory lies beneath the root directory; the kernel says so for a directory outside.
    package static var isInsideRoot: Bool {
        var buffer = [CChar](repeating: 0, count: 4097)
        // The system call, since the C library's function searches for a path where the kernel says "(unreachable)".
        let count = buffer.withUnsafeMutableBytes {
            petrel_syscall(Int(SYS_getcwd), Int(bitPattern: $0.baseAddress), 4096, 0, 0, 0, 0)
        }
        return count > 0 && buffer[0] == CChar(UInt8(ascii: "/"))
    }

    /// setsid(2).
    package static func startSession() throws(SystemError) {
        guard setsid() >= 0 else { throw SystemError("setsid", code: errno) }
    }

    /// Default action for every signal, and none blocked.
    package static func resetSignals() {
        var action = sigaction()
        for number: Int32 in 1...64 where number != SIGKILL && number != SIGSTOP {
            sigaction(number, &action, nil)
        }
        var none = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, nil)
    }

    /// A session keyring of its own, so that it sees none of the caller's keys; nothing where the kernel has no keys.
    package static func startKeyring() {
        _ = petrel_syscall(Int(SYS_keyctl), 1, 0, 0, 0, 0, 0)
    }

    /// umask(2).
    package static func setFileCreationMask(_ mask: UInt32) { _ = umask(mask) }
}

extension Files {
    /// Whether the process's effective rights allow to execute the file. Throws what the kernel says.
    package static func checkExecutable(_ path: String) throws(SystemError) {
        // faccessat2(2) with X_OK and AT_EACCESS.
        let result = path.withCString {
            petrel_syscall(439, Int(AT_FDCWD), Int(bitPattern: $0), 1, 0x200, 0, 0)
        }
        let code = errno
        guard result == 0 else { throw SystemError("faccessat2", path: path, code: code) }
    }

    /// stat(2), following links.
    package static func statusThroughLinks(of path: String) throws(SystemError) -> FileStatus {
        var status = stat()
        guard stat(path, &status) == 0 else { throw SystemError("stat", path: path, code: errno) }
        return FileStatus(status)
    }

    /// The kind of file system that a descriptor is on: the magic number of statfs(2).
    package static func fileSystemType(of file: Int32) throws(SystemError) -> Int {
        // struct statfs: the type is its first word.
        var record = [Int](repeating: 0, count: 15)
        let result = record.withUnsafeMutableBytes {
            petrel_syscall(Int(SYS_fstatfs), Int(file), Int(bitPattern: $0.baseAddress), 0, 0, 0, 0)
        }
        let code = errno
        guard result == 0 else { throw SystemError("fstatfs", code: code) }
        return record[0]
    }
}

extension ResourceLimits {
    /// setrlimit(2) by the kernel's number; `UInt64.max` is unlimited.
    /// - Throws: `EPERM` above the hard limit without CAP_SYS_RESOURCE.
    package static func set(_ number: Int32, soft: UInt64, hard: UInt64) throws(SystemError) {
        let record = [soft, hard]
        let result = record.withUnsafeBytes {
            petrel_syscall(Int(SYS_prlimit64), 0, Int(number), Int(bitPattern: $0.baseAddress), 0, 0, 0)
        }
        let code = errno
        guard result == 0 else { throw SystemError("prlimit", code: code) }
    }

    /// The present soft and hard limit.
    package static func value(_ number: Int32) throws(SystemError) -> (soft: UInt64, hard: UInt64) {
        var record: [UInt64] = [0, 0]
        let result = record.withUnsafeMutableBytes {
            petrel_syscall(Int(SYS_prlimit64), 0, Int(number), 0, Int(bitPattern: $0.baseAddress), 0, 0)
        }
        let code = errno
        guard result == 0 else { throw SystemError("prlimit", code: code) }
        return (record[0], record[1])
    }
}

extension Terminal {
    /// The other side of a master, by descriptor, whatever is mounted where (`TIOCGPTPEER`).
    package static func peer(of master: Int32) throws(SystemError) -> Descriptor {
        var unlocked: Int32 = 0
        guard petrel_ioctl(master, 0x4004_5431, &unlocked) == 0 else {
            throw SystemError("ioctl(TIOCSPTLCK)", code: errno)
        }
        let flags = UnsafeMutableRawPointer(bitPattern: Int(O_RDWR | O_NOCTTY | O_CLOEXEC))
        let raw = petrel_ioctl(master, 0x5441, flags)
        guard raw >= 0 else { throw SystemError("ioctl(TIOCGPTPEER)", code: errno) }
        return Descriptor(adopting: raw)
    }

    /// Makes a terminal the controlling one of the session that this process leads (`TIOCSCTTY`).
    package static func control(_ terminal: Int32) throws(SystemError) {
        guard petrel_ioctl(terminal, 0x540e, nil) == 0 else {
            throw SystemError("ioctl(TIOCSCTTY)", code: errno)
        }
    }
}
