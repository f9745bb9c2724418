// SPDX-License-Identifier: Apache-2.0
import JSON
import Messages
import Rendering
import System

/// Options of `run` and `create`: what the container shares with the machine and with others, and what it may do.
extension FurtherOptions {
    func addIsolation(to config: inout EngineV1.ContainerConfig) throws(Failure) {
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
