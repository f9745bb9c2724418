// SPDX-License-Identifier: Apache-2.0

/// Arguments and environment of a daemon's process: a pure value.
///
/// Descriptors follow systemd's `LISTEN_FDS` protocol: number 3 is the listening socket, named as the daemon; stored
/// descriptors come after it. `LISTEN_PID` is left out, since it cannot be known before posix_spawn: module Suite, which
/// reads it at the other end, takes its absence for "this process".
package struct LaunchPlan: Hashable, Sendable {
    package let arguments: [String]
    package let environment: [String]

    /// The kernel takes at most 128 KiB for one `NAME=value`; more names go on in `LISTEN_FDNAMES_1`, and so on.
    package static let namesLimit = 100 << 10

    /// - Parameters:
    ///   - storedNames: Of the descriptors after the listening socket.
    ///   - openFiles: The soft limit that containers should have, while petrel-init's own is raised.
    ///   - inherited: petrel-init's own environment, of which only what begins with `PETREL_` is handed on.
    package init(
        daemon: String,
        root: String,
        run: String,
        faultPoints: String?,
        notifySocket: String,
        storedNames: [String],
        inherited: [String],
        openFiles: UInt64
    ) {
        var arguments = ["--root", root, "--run", run]
        if let faultPoints { arguments += ["--fault-points", faultPoints] }
        self.arguments = arguments
        let replaced = ["PETREL_ROOT=", "PETREL_RUN=", "PETREL_OPEN_FILES="]
        var environment = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
        environment += inherited.filter { line in
            line.hasPrefix("PETREL_") && !replaced.contains(where: line.hasPrefix)
        }
        environment += ["PETREL_ROOT=\(root)", "PETREL_RUN=\(run)", "NOTIFY_SOCKET=\(notifySocket)"]
        environment.append("PETREL_OPEN_FILES=\(openFiles)")
        environment.append("LISTEN_FDS=\(1 + storedNames.count)")
        for (index, names) in Self.parts(of: [daemon] + storedNames).enumerated() {
            environment.append("LISTEN_FDNAMES" + (index == 0 ? "" : "_\(index)") + "=" + names)
        }
        self.environment = environment
    }

    private static func parts(of names: [String]) -> [String] {
        var parts: [String] = []
        var part = ""
        for (index, name) in names.enumerated() {
            if part.utf8.count + name.utf8.count + 1 > namesLimit {
                parts.append(part)
                part = name
            } else {
                part += (index == 0 ? "" : ":") + name
            }
        }
        return parts + [part]
    }
}
