// SPDX-License-Identifier: Apache-2.0
import Rendering

/// What a container shall be, as most people say it.
struct ContainerOptions: Sendable {
    static let standard = ContainerOptions()

    var name: String?
    var remove = false
    var environment: [String] = []
    var environmentFiles: [String] = []
    var volume: [String] = []
    var workdir: String?
    var user: String?
    var entrypoint: String?
    var hostname: String?
    var restart = "no"
    var memory: String?
    var cpus: String?
    var pidsLimit: Int64?
    var capAdd: [String] = []
    var capDrop: [String] = []
    var privileged = false
    var network = "none"
    var label: [String] = []
    var readOnly = false
    var interactive = false
    var tty = false
    var attach: [String] = []
    var stopSignal: String?
    var stopTimeout: Int64?
    var pull = "missing"
    var idFile: String?
    var quiet = false

    /// Takes an option by one of its names; of one that is given twice the last counts, or both where there may be several.
    /// - Returns: false when it is none of these, or the value none of its.
    mutating func take(_ option: UsualWords.Option) -> Bool {
        guard let value = option.value else { return takeFlag(option.name) }
        switch option.name {
        case "name": name = value
        case "env", "e": environment.append(value)
        case "env-file": environmentFiles.append(value)
        case "volume", "v": volume.append(value)
        case "workdir", "w": workdir = value
        case "user", "u": user = value
        case "entrypoint": entrypoint = value
        case "hostname", "h": hostname = value
        case "restart": restart = value
        case "memory", "m": memory = value
        case "cpus": cpus = value
        case "cap-add": capAdd.append(value)
        case "cap-drop": capDrop.append(value)
        case "network", "net": network = value
        case "label", "l": label.append(value)
        case "attach", "a": attach.append(value)
        case "stop-signal": stopSignal = value
        case "pull": pull = value
        case "cidfile": idFile = value
        case "pids-limit":
            pidsLimit = Int64(value)
            return pidsLimit != nil
        case "stop-timeout":
            stopTimeout = Int64(value)
            return stopTimeout != nil
        default: return false
        }
        return true
    }

    private mutating func takeFlag(_ name: String) -> Bool {
        switch name {
        case "rm": remove = true
        case "privileged": privileged = true
        case "read-only": readOnly = true
        case "interactive", "i": interactive = true
        case "tty", "t": tty = true
        case "quiet", "q": quiet = true
        default: return false
        }
        return true
    }
}
