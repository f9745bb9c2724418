// SPDX-License-Identifier: Apache-2.0

/// A system call that failed: which one, on what, and the kernel's error number.
package struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The call's name: `openat`.
    package let operation: String
    /// The file concerned; empty where there is none.
    package let path: String
    /// The error number, positive.
    package let code: Int32

    package init(_ operation: String, path: String = "", code: Int32) {
        self.operation = operation
        self.path = path
        self.code = code
    }

    /// `openat /etc/petrel: ENOENT`.
    package var description: String {
        path.isEmpty ? "\(operation): \(name)" : "\(operation) \(path): \(name)"
    }

    /// There was no room: `ENOSPC` or `EDQUOT`.
    package var isOutOfSpace: Bool { [ErrorNumber.noSpace, ErrorNumber.quotaExceeded].contains(code) }

    /// The error number's symbolic name, `errno 999` where there is none.
    package var name: String { ErrorNumber.name(of: code) }
}
