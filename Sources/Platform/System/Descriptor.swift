// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// An open file descriptor, closed once: by `close()`, or as a net when it goes out of scope.
package struct Descriptor: ~Copyable, Sendable {
    /// The number, for a call in this module or for a child's descriptor table.
    package let raw: Int32

    package init(adopting raw: Int32) { self.raw = raw }

    /// Closes it and reports what the kernel says (a delayed write error, for example).
    package consuming func close() throws(SystemError) {
        let raw = raw
        discard self
        // Linux frees the number even on EINTR, so close is never retried.
        guard Glibc.close(raw) == 0 else { throw SystemError("close", code: errno) }
    }

    /// Gives the number away; the caller closes it.
    package consuming func relinquish() -> Int32 {
        let raw = raw
        discard self
        return raw
    }

    /// Another number for the same open file description, close-on-exec.
    package borrowing func duplicate() throws(SystemError) -> Descriptor {
        let copy = petrel_fcntl(raw, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else { throw SystemError("fcntl(F_DUPFD_CLOEXEC)", code: errno) }
        return Descriptor(adopting: copy)
    }

    deinit { _ = Glibc.close(raw) }
}
