// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// Calls on the controlling side of a pseudo-terminal.
package enum Terminal {
    /// `TIOCSWINSZ`: sets its size; the program in the foreground gets SIGWINCH.
    package static func resize(_ terminal: Int32, columns: UInt16, rows: UInt16) throws(SystemError) {
        // struct winsize: rows, columns, two unused words of 16 bits.
        var size: (UInt16, UInt16, UInt16, UInt16) = (rows, columns, 0, 0)
        guard petrel_ioctl(terminal, 0x5414, &size) == 0 else {
            throw SystemError("ioctl(TIOCSWINSZ)", code: errno)
        }
    }
}
