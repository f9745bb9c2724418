// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import JSON
import Messages
import Rendering
import System

/// Options of `run` and `create`: what the container shares with the machine and with others, and what it may do.
struct IsolationOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: "Process numbers: host, or container:NAME.") var pid = ""
    @Option(parsing: .unconditional, help: "none, private, shareable, host, or container:NAME.") var ipc = ""
    @Option(parsing: .unconditional, help: "Host and domain name: host.") var uts = ""
    @Option(parsing: .unconditional, help: "User numbers: host.") var userns = ""
    @Option(parsing: .unconditional, help: "View of control groups: private or host.") var cgroupns = ""
    @Option(parsing: .unconditional, help: "Control group in which its own is made.") var cgroupParent = ""
    @Option(
        parsing: .unconditionalSingleValue,
        help: "seccomp=unconfined or a file, no-new-privileges, apparmor=, label=, systempaths=unconfined."
    ) var securityOpt: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "Kernel parameter of its own: net.core.somaxconn=512.")
    var sysctl: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "Device of this machine: /dev/here[:/dev/there][:rwm].")
    var device: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "Devices that it may use: 'c 1:3 rwm'.")
    var deviceCgroupRule: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "A group that the user is in too, by name or number.")
    var groupAdd: [String] = []
    @Flag(name: .customLong("init"), help: "Run a first process that passes signals on and reaps.")
    var hasInit = false

    func add(to config: inout EngineV1.ContainerConfig) throws(Failure) {
        config.pidMode = pid
        config.ipcMode = ipc
        config.utsMode = uts
        config.usernsMode = userns
        config.cgroupnsMode = cgroupns
        config.cgroupParent = cgroupParent
        config.securityOptions = try securityOpt.map(Self.securityOption)
        config.sysctls = try PairText.pairs(sysctl, option: "--sysctl")
        config.devices = try device.map { text throws(Failure) in
            let option = try DeviceOption(text)
            return EngineV1.DeviceMapping(
                pathOnHost: option.source,
                pathInContainer: option.target,
                permissions: option.permissions
            )
        }
        config.deviceCgroupRules = deviceCgroupRule
        config.groupsAdded = groupAdd
        config.hasInit = hasInit
    }

    /// A profile's file is read here: the engine may be elsewhere.
    private static func securityOption(_ text: String) throws(Failure) -> String {
        guard text.hasPrefix("seccomp=") || text.hasPrefix("seccomp:") else { return text }
        let value = String(text.dropFirst("seccomp=".count))
        guard !["unconfined", "builtin"].contains(value) else { return text }
        do {
            let document = try JSON(
                parsing: try Files.contents(of: value, limit: 1 << 20),
                maximumSize: 1 << 20
            )
            return "seccomp=" + String(decoding: document.serialized(), as: UTF8.self)
        } catch {
            throw Failure(
                "--security-opt '\(text)'",
                "opening seccomp profile failed: \(error)",
                exitCode: 125
            )
        }
    }
}
