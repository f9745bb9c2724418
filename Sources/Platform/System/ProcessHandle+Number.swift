// SPDX-License-Identifier: Apache-2.0
internal import Glibc

extension ProcessHandle {
    /// The process's number in this process's namespace, from `/proc/self/fdinfo`.
    /// - Throws: `ESRCH` when it was reaped.
    package static func pid(of process: Int32) throws(SystemError) -> Int32 {
        let path = "/proc/self/fdinfo/\(process)"
        for line in try Files.text(of: path).split(separator: "\n") where line.hasPrefix("Pid:") {
            let number = line.dropFirst(4).filter { $0 != "\t" && $0 != " " }
            guard let pid = Int32(number) else { break }
            guard pid > 0 else { throw SystemError("pidfd", path: path, code: ESRCH) }
            return pid
        }
        throw SystemError("parse", path: path, code: EINVAL)
    }
}

extension OpenFlags {
    /// `O_NOCTTY`: opening a terminal does not make it the controlling one.
    package static let noControllingTerminal = OpenFlags(rawValue: O_NOCTTY)
}
