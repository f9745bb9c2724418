// SPDX-License-Identifier: Apache-2.0

// Whose namespaces a container lives in. Spelled as the Docker API spells them; after creation a container that is
// named in one is named by its whole id.

/// `container:<name or id>`.
private func containerName(_ text: String) -> String? {
    guard text.hasPrefix("container:"), text.utf8.count > 10 else { return nil }
    return String(text.dropFirst(10))
}

extension ContainerSettings {
    package enum NetworkMode: RawRepresentable, Codable, Hashable, Sendable {
        case none
        case host
        case container(String)

        package init?(rawValue: String) {
            switch rawValue {
            case "none": self = .none
            case "host": self = .host
            default:
                guard let name = containerName(rawValue) else { return nil }
                self = .container(name)
            }
        }

        package var rawValue: String {
            switch self {
            case .none: "none"
            case .host: "host"
            case .container(let name): "container:" + name
            }
        }

        /// - Throws: `.invalidField` for `container:` without a name; `.networkNotFound` for any other: networks of one's
        ///   own do not exist yet.
        package init(name: String) throws(EngineError) {
            guard let mode = name.isEmpty ? NetworkMode.none : NetworkMode(rawValue: name) else {
                guard !name.hasPrefix("container:") else {
                    throw .invalidField("network", "invalid container format container:<name|id>")
                }
                throw .networkNotFound(name)
            }
            self = mode
        }
    }

    /// The process namespace.
    package enum ProcessMode: RawRepresentable, Codable, Hashable, Sendable {
        case own
        case host
        case container(String)

        package init?(rawValue: String) {
            switch rawValue {
            case "", "private": self = .own
            case "host": self = .host
            default:
                guard let name = containerName(rawValue) else { return nil }
                self = .container(name)
            }
        }

        package var rawValue: String {
            switch self {
            case .own: ""
            case .host: "host"
            case .container(let name): "container:" + name
            }
        }
    }

    /// System V IPC, POSIX message queues, and /dev/shm.
    package enum IPCMode: RawRepresentable, Codable, Hashable, Sendable {
        /// One of its own, and no /dev/shm.
        case none
        case `private`
        /// One of its own, which others may join.
        case shareable
        case host
        case container(String)

        package init?(rawValue: String) {
            switch rawValue {
            case "none": self = .none
            case "", "private": self = .private
            case "shareable": self = .shareable
            case "host": self = .host
            default:
                guard let name = containerName(rawValue) else { return nil }
                self = .container(name)
            }
        }

        package var rawValue: String {
            switch self {
            case .none: "none"
            case .private: "private"
            case .shareable: "shareable"
            case .host: "host"
            case .container(let name): "container:" + name
            }
        }
    }

    /// The namespaces that are not the network's.
    package struct Namespaces: Codable, Hashable, Sendable, EmptyValue {
        package var process = ProcessMode.own
        package var ipc = IPCMode.private
        package var sharesHostNames = false
        /// "private", "host"; nil: by the machine's control groups.
        package var controlGroups: String?
        /// "host" where it was asked for; there is no other.
        package var users = ""

        package init() {}

        /// - Throws: `.invalidField` for a mode that is none.
        package init(pid: String, ipc: String, uts: String, users: String, controlGroups: String)
            throws(EngineError)
        {
            guard let process = ProcessMode(rawValue: pid) else {
                throw .invalidField(
                    "pid mode",
                    "invalid PID mode \"\(pid)\"",
                    advice: "use host or container:<name|id>"
                )
            }
            guard let ipcMode = IPCMode(rawValue: ipc) else {
                throw .invalidField(
                    "ipc mode",
                    "invalid IPC mode \"\(ipc)\"",
                    advice: "use none, private, shareable, host or container:<name|id>"
                )
            }
            guard ["", "host"].contains(uts) else {
                throw .invalidField("uts mode", "invalid UTS mode \"\(uts)\"", advice: "use host")
            }
            guard ["", "host"].contains(users) else {
                throw .invalidField(
                    "userns mode",
                    "invalid user namespace mode \"\(users)\"",
                    advice: "use host"
                )
            }
            guard ["", "private", "host"].contains(controlGroups) else {
                let text = "invalid cgroup namespace mode \"\(controlGroups)\""
                throw .invalidField("cgroupns mode", text, advice: "use private or host")
            }
            self.process = process
            self.ipc = ipcMode
            sharesHostNames = uts == "host"
            self.users = users
            self.controlGroups = controlGroups.isEmpty ? nil : controlGroups
        }
    }
}
