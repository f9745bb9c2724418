// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// pipe2(2): both ends of a pipe, close-on-exec.
package struct Pipe: ~Copyable, Sendable {
    package let readEnd: Descriptor
    package let writeEnd: Descriptor

    /// - Parameter nonBlocking: Whether reading an empty and writing a full pipe throw `EAGAIN`.
    package init(nonBlocking: Bool = false) throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        guard petrel_pipe(&ends, O_CLOEXEC | (nonBlocking ? O_NONBLOCK : 0)) == 0 else {
            throw SystemError("pipe2", code: errno)
        }
        self.readEnd = Descriptor(adopting: ends[0])
        self.writeEnd = Descriptor(adopting: ends[1])
    }

    /// `F_SETPIPE_SZ`: how much a pipe holds; the kernel rounds up.
    /// - Throws: `EPERM` beyond what this user may have in pipes, or in one; `EBUSY` when it holds more.
    package static func resize(_ pipe: Int32, toBytes bytes: Int) throws(SystemError) {
        guard petrel_fcntl(pipe, 1031, bytes) >= 0 else {
            throw SystemError("fcntl(F_SETPIPE_SZ)", code: errno)
        }
    }

    /// Closes the write end and gives the read end away.
    package consuming func relinquishReadEnd() -> Descriptor { readEnd }
}
