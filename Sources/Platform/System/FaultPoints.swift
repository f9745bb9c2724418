// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// Named places at which a test may have this process killed, as SIGKILL would at that instant.
///
/// Compiled into every release and off unless a directory is given (`--fault-points DIR`). A test arms a point by
/// making the file `DIR/NAME`; the first process to reach it removes the file and kills itself. A file with content
/// `pause` stops the process (SIGSTOP) instead.
package struct FaultPoints: Sendable {
    private let directory: String?

    /// - Parameter directory: Absolute path; nil switches all points off.
    package init(directory: String?) { self.directory = directory }

    package static let off = FaultPoints(directory: nil)

    /// The directory, to hand on to a child.
    package var path: String? { directory }

    /// Does nothing, or does not return.
    package func reach(_ name: String) {
        guard let directory else { return }
        let path = directory + "/" + name
        guard let content = try? Files.text(of: path), Glibc.unlink(path) == 0 else { return }
        _ = Glibc.kill(getpid(), content == "pause" ? SIGSTOP : SIGKILL)
        if content != "pause" { while true { Glibc.pause() } }
    }
}
