// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

extension SystemEnvironment {
    /// All of it, as `NAME=value` lines.
    package static var all: [String] {
        guard var next = petrel_environment() else { return [] }
        var lines: [String] = []
        while let line = next.pointee {
            lines.append(String(cString: line))
            next += 1
        }
        return lines
    }
}

/// This process: its end, its terminal, the host's group names.
package enum CurrentProcess {
    /// exit(3), with what is buffered written out.
    package static func exit(_ code: Int32) -> Never { Glibc.exit(code) }

    /// The effective user's number.
    package static var userID: UInt32 { geteuid() }

    /// Whether two numbers are the same open file description (kcmp(2)); false where the kernel does not tell.
    package static func isSameFile(_ first: Int32, _ second: Int32) -> Bool {
        petrel_kcmp_file(getpid(), first, second) == 0
    }

    /// Changes what `/proc/PID/cmdline` shows, in place: an argument for which `change` has another of the same length is
    /// replaced, any other is left. For programs with one thread.
    package static func changeArguments(_ change: (_ index: Int, _ argument: String) -> String) {
        for index in 0..<Int(CommandLine.argc) {
            guard let place = CommandLine.unsafeArgv[index] else { continue }
            let old = String(cString: place)
            let new = change(index, old)
            guard new != old, new.utf8.count == old.utf8.count else { continue }
            for (offset, byte) in new.utf8.enumerated() { place[offset] = CChar(bitPattern: byte) }
        }
    }

    /// isatty(3).
    package static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }
}

extension CurrentProcess {
    /// Columns of a terminal (`TIOCGWINSZ`); nil where it is none or does not say.
    package static func terminalWidth(_ descriptor: Int32) -> Int? {
        // struct winsize: rows, columns, two unused words of 16 bits.
        var size: (UInt16, UInt16, UInt16, UInt16) = (0, 0, 0, 0)
        guard petrel_ioctl(descriptor, 0x5413, &size) == 0, size.1 > 0 else { return nil }
        return Int(size.1)
    }
}

extension SystemEnvironment {
    /// setenv(3).
    package static func set(_ name: String, _ value: String) { setenv(name, value, 1) }
}
