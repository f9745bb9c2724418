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

    /// isatty(3).
    package static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }
}
