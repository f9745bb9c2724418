// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// This process's environment and number. Changing the environment is only safe before other threads run.
package enum SystemEnvironment {
    /// getenv(3).
    package static func value(of name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    /// unsetenv(3).
    package static func remove(_ name: String) { unsetenv(name) }

    /// getpid(2).
    package static var processID: Int32 { getpid() }

    /// Whether a descriptor number is open.
    package static func isOpen(_ raw: Int32) -> Bool { petrel_fcntl(raw, F_GETFD, 0) >= 0 }

    /// Sets close-on-exec on a number that was inherited.
    package static func closeOnExec(_ raw: Int32) { _ = petrel_fcntl(raw, F_SETFD, Int(FD_CLOEXEC)) }

    /// `count` random bytes from the kernel.
    package static func randomBytes(_ count: Int) throws(SystemError) -> [UInt8] {
        let device = try Files.open("/dev/urandom", .readOnly)
        var bytes = [UInt8](repeating: 0, count: count)
        let got = bytes.withUnsafeMutableBytes { Glibc.read(device.raw, $0.baseAddress, $0.count) }
        guard got == count else { throw SystemError("read", path: "/dev/urandom", code: EIO) }
        return bytes
    }

    /// `count` random bytes as lower-case hexadecimal digits, two for each.
    /// - Throws: as `randomBytes`.
    package static func randomHexadecimal(bytes count: Int) throws(SystemError) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in try randomBytes(count) {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The current directory's absolute path.
    package static func workingDirectory() throws(SystemError) -> String {
        try Files.link(at: "/proc/self/cwd")
    }
}

extension Files {
    /// readlink(2).
    package static func link(at path: String, directory: Int32 = currentDirectory) throws(SystemError)
        -> String
    {
        var buffer = [CChar](repeating: 0, count: 4097)
        let count = readlinkat(directory, path, &buffer, 4096)
        guard count >= 0 else { throw SystemError("readlinkat", path: path, code: errno) }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension SystemEnvironment {
    /// Another number for the open file that a number of this process stands for, close-on-exec.
    package static func duplicate(_ raw: Int32) throws(SystemError) -> Descriptor {
        let copy = petrel_fcntl(raw, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else { throw SystemError("fcntl(F_DUPFD_CLOEXEC)", code: errno) }
        return Descriptor(adopting: copy)
    }
}
