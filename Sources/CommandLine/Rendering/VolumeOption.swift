// SPDX-License-Identifier: Apache-2.0

/// The value of `-v`: `/host:/container[:ro|rw|propagation,…]`.
package struct VolumeOption: Hashable, Sendable {
    package let source: String
    package let target: String
    package let isReadOnly: Bool
    package let propagation: String

    private static let propagations = ["private", "rprivate", "shared", "rshared", "slave", "rslave"]

    /// - Parameter workingDirectory: What a source that begins with `.` starts from.
    package init(_ text: String, workingDirectory: String) throws(Failure) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        func invalid(_ why: String) -> Failure {
            Failure(
                "volume '\(text)'",
                why,
                advice: "write it as /path/here:/path/in/container or /path/here:/path/in/container:ro",
                exitCode: 125
            )
        }
        guard 2...3 ~= parts.count, !parts[0].isEmpty else {
            throw invalid("needs a path on this machine and one in the container")
        }
        guard parts[1].hasPrefix("/"), parts[1] != "/" else {
            throw invalid("the path in the container must be absolute, and not the root")
        }
        if parts[0].hasPrefix("/") {
            source = parts[0]
        } else if parts[0] == "." || parts[0].hasPrefix("./") || parts[0].hasPrefix("../") || parts[0] == ".."
        {
            source = workingDirectory + "/" + parts[0]
        } else {
            throw invalid("named volumes are not supported, '\(parts[0])' is no absolute path")
        }
        target = parts[1]
        var readOnly = false
        var propagation = ""
        for option in parts.count == 3 ? parts[2].split(separator: ",").map(String.init) : [] {
            switch option {
            case "ro": readOnly = true
            // SELinux labels and consistency hints mean nothing here, and are accepted as Docker does.
            case "rw", "z", "Z", "cached", "delegated", "consistent": continue
            case _ where Self.propagations.contains(option): propagation = option
            default: throw invalid("option '\(option)' is not known")
            }
        }
        isReadOnly = readOnly
        self.propagation = propagation
    }
}

/// The value of `--restart`: `no`, `always`, `unless-stopped`, `on-failure[:N]`.
package struct RestartOption: Hashable, Sendable {
    package let name: String
    package let maximumRetries: UInt32

    package init(_ text: String) throws(Failure) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init
        )
        name = parts[0].isEmpty ? "no" : parts[0]
        guard ["no", "always", "unless-stopped", "on-failure"].contains(name) else {
            throw Failure(
                "restart policy '\(text)'",
                "is not known",
                advice: "use no, always, unless-stopped, on-failure or on-failure:N",
                exitCode: 125
            )
        }
        guard parts.count == 2 else {
            maximumRetries = 0
            return
        }
        guard name == "on-failure" else {
            throw Failure(
                "restart policy '\(text)'",
                "only on-failure takes a number of retries",
                exitCode: 125
            )
        }
        guard let retries = UInt32(parts[1]), retries <= UInt32(Int32.max) else {
            throw Failure(
                "restart policy '\(text)'",
                "the maximum retry count must be a number",
                advice: "write on-failure:3",
                exitCode: 125
            )
        }
        maximumRetries = retries
    }
}
