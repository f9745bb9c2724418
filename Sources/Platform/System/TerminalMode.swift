// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// How a terminal treats what is typed (struct termios), to be put back later.
package struct TerminalMode: Sendable {
    private var settings: termios

    /// tcgetattr(3).
    /// - Throws: `ENOTTY` for what is no terminal.
    package init(of terminal: Int32) throws(SystemError) {
        settings = termios()
        guard tcgetattr(terminal, &settings) == 0 else { throw SystemError("tcgetattr", code: errno) }
    }

    /// Every key is a byte to read, at once and without an echo; nothing is a signal; output goes out as it is
    /// (cfmakeraw(3)).
    package var raw: TerminalMode {
        var mode = self
        cfmakeraw(&mode.settings)
        return mode
    }

    /// tcsetattr(3): from when all output is out.
    package func apply(to terminal: Int32) throws(SystemError) {
        var settings = settings
        while tcsetattr(terminal, TCSADRAIN, &settings) != 0 {
            let code = errno
            guard code == EINTR else { throw SystemError("tcsetattr", code: code) }
        }
    }
}

extension Terminal {
    /// A new one (`/dev/ptmx`), unlocked: its controlling side, and the path of the other.
    package static func open() throws(SystemError) -> (master: SharedDescriptor, path: String) {
        let master = try Files.open("/dev/ptmx", [.readWrite, .noControllingTerminal])
        var number: Int32 = 0
        guard petrel_ioctl(master.raw, 0x4004_5431, &number) == 0 else {
            throw SystemError("ioctl(TIOCSPTLCK)", code: errno)
        }
        guard petrel_ioctl(master.raw, 0x8004_5430, &number) == 0 else {
            throw SystemError("ioctl(TIOCGPTN)", code: errno)
        }
        return (SharedDescriptor(master), "/dev/pts/\(number)")
    }

    /// `TIOCGWINSZ`; nil where it is none or does not say.
    package static func size(of terminal: Int32) -> (columns: UInt16, rows: UInt16)? {
        // struct winsize: rows, columns, two unused words of 16 bits.
        var size: (UInt16, UInt16, UInt16, UInt16) = (0, 0, 0, 0)
        guard petrel_ioctl(terminal, 0x5413, &size) == 0, size.0 > 0, size.1 > 0 else { return nil }
        return (size.1, size.0)
    }
}
