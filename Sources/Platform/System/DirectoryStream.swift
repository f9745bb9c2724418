// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// The names in an open directory, one after the other, so that a directory of any size takes one buffer.
package struct DirectoryStream: ~Copyable {
    private let stream: OpaquePointer

    /// - Parameter directory: Open for reading; its position is moved.
    package init(_ directory: consuming Descriptor) throws(SystemError) {
        let raw = directory.relinquish()
        guard let stream = fdopendir(raw) else {
            let code = errno
            _ = Glibc.close(raw)
            throw SystemError("fdopendir", code: code)
        }
        self.stream = stream
    }

    deinit { closedir(stream) }

    /// The directory's number, for calls that start from it.
    package var raw: Int32 { dirfd(stream) }

    /// The next name with its NUL, without `.` and `..`; nil after the last.
    package borrowing func next() throws(SystemError) -> [CChar]? {
        while true {
            errno = 0
            guard let entry = Glibc.readdir(stream) else {
                let code = errno
                guard code == 0 else { throw SystemError("readdir", code: code) }
                return nil
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { bytes in
                    Array(UnsafeBufferPointer(start: bytes, count: strlen(bytes) + 1))
                }
            }
            if name != [0x2e, 0], name != [0x2e, 0x2e, 0] { return name }
        }
    }
}
