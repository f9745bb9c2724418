// SPDX-License-Identifier: Apache-2.0
import Rendering

/// Options of `run` and `create` that the Docker command line has and this one has not yet: they are refused by name.
///
/// The argument parser does not know them, since each option that it knows costs every `run` its time.
enum LaterOptions {
    private static let commands: Set<String> = ["run", "create"]
    /// Commands of which the same is true.
    static let programs: Set<String> = [
        "build", "builder", "buildx", "commit", "compose", "export", "import", "login", "logout", "network",
        "push",
        "save", "search", "volume",
    ]
    private static let shorts = ["p": "publish", "P": "publish-all"]
    private static let advice: [String: String] = {
        let needsNetworks = "networks of containers come later; use --network host, none or container:NAME"
        let needsVolumes = "volumes with names come later; use -v /path/here:/path/in/container"
        return [
            "publish": needsNetworks, "publish-all": needsNetworks, "expose": needsNetworks,
            "ip": needsNetworks, "ip6": needsNetworks, "mac-address": needsNetworks,
            "network-alias": needsNetworks, "net-alias": needsNetworks, "link": needsNetworks,
            "link-local-ip": needsNetworks, "volume-driver": needsVolumes, "storage-opt": "",
            "gpus": "use --device", "runtime": "there is one runtime", "isolation": "it is for Windows",
            "blkio-weight-device": "use --blkio-weight", "cpu-rt-period": "", "cpu-rt-runtime": "",
            "kernel-memory": "use --memory, which counts the kernel's too", "use-api-socket": "",
        ]
    }()

    /// - Parameter command: Its path, without the program's name.
    /// - Parameter option: A name without its dashes.
    /// - Returns: nil for one that nobody has.
    static func refusal(of option: String, by command: [String]) -> Failure? {
        guard let name = command.last, commands.contains(name) else { return nil }
        let long = shorts[option] ?? option
        guard let advice = advice[long] else { return nil }
        return Failure(
            "\(command.joined(separator: " ")): --\(long)",
            "is not supported yet",
            advice: advice,
            exitCode: 125
        )
    }
}
