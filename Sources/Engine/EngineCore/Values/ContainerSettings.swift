// SPDX-License-Identifier: Apache-2.0

/// What the user asked for, as it was asked; nothing of the image or of this machine is mixed in.
///
/// Kept in the database as JSON: a field added later must be optional or `Added`, so that older rows can still be read.
package struct ContainerSettings: Codable, Hashable, Sendable {
    package var image = ""
    /// Nil: the image's. Empty: none, and the image's command does not count either.
    package var entrypoint: [String]?
    package var command: [String] = []
    /// `NAME=value`; a bare `NAME` takes it away from the image's.
    package var environment: [String] = []
    package var workingDirectory = ""
    package var user = ""
    package var hostname = ""
    package var labels: [String: String] = [:]
    package var binds: [Bind] = []
    package var restart = RestartPolicy()
    package var limits = Limits()
    package var capabilitiesAdded: [String] = []
    package var capabilitiesDropped: [String] = []
    package var isPrivileged = false
    package var network = NetworkMode.none
    package var autoRemove = false
    package var hasTerminal = false
    package var opensStdin = false
    package var stdinOnce = false
    package var stopSignal = ""
    package var stopTimeoutSeconds: UInt32?
    package var readOnlyRoot = false
    @Added package var resources = Resources()
    @Added package var storage = Storage()
    @Added package var devices = Devices()
    @Added package var namespaces = Namespaces()
    @Added package var process = Process()
    @Added package var names = Names()
    @Added package var log = Log()
    @Added package var securityOptions: [String] = []
    @Added package var sysctls: [String: String] = [:]
    @Added package var annotations: [String: String] = [:]
    @Added package var cgroupParent = ""
    /// `os[/architecture[/variant]]` that the image must have; empty: any.
    @Added package var platform = ""
    package var health: Health?
    /// What `update` has changed since; nil: nothing.
    package var updated: LimitsChange?
    /// An update that is not finished.
    package var pendingUpdate: ContainerUpdate?
    package var consoleSize: ConsoleSize?
    /// Nil: output, and input if it is open.
    package var attached: AttachedStreams?

    package init() {}

    /// A folder or file of the host, seen in the container.
    package struct Bind: Codable, Hashable, Sendable {
        package var source: String
        package var target: String
        package var readOnly: Bool
        package var propagation: String
        package var createSource: Bool

        package init(source: String, target: String, readOnly: Bool, propagation: String, createSource: Bool)
        {
            self.source = source
            self.target = target
            self.readOnly = readOnly
            self.propagation = propagation
            self.createSource = createSource
        }
    }

    package struct RestartPolicy: Codable, Hashable, Sendable {
        package enum Mode: String, Codable, Sendable {
            case no
            case always
            case unlessStopped = "unless-stopped"
            case onFailure = "on-failure"
        }

        package var mode = Mode.no
        package var maximumRetries: UInt32 = 0

        package init(mode: Mode = .no, maximumRetries: UInt32 = 0) {
            self.mode = mode
            self.maximumRetries = maximumRetries
        }

        /// - Throws: `.invalidField` for a name that is none, or retries where they mean nothing.
        package init(name: String, maximumRetries: UInt32) throws(EngineError) {
            guard let mode = name.isEmpty ? .no : Mode(rawValue: name) else {
                throw .invalidField(
                    "restart policy",
                    "unknown policy \"\(name)\"",
                    advice: RestartPolicy.advice
                )
            }
            guard maximumRetries == 0 || mode == .onFailure else {
                let text = "a maximum retry count cannot be used with restart policy \"\(name)\""
                throw .invalidField("restart policy", text, advice: "use it with on-failure")
            }
            self.init(mode: mode, maximumRetries: maximumRetries)
        }

        private static let advice = "use no, always, unless-stopped or on-failure[:count]"
    }

    /// 0 is "without limit" throughout.
    package struct Limits: Codable, Hashable, Sendable {
        package var memoryBytes: UInt64 = 0
        /// Thousand-millionths of a CPU.
        package var nanoCPUs: UInt64 = 0
        /// -1 is "without limit" too.
        package var processes: Int64 = 0

        package init(memoryBytes: UInt64 = 0, nanoCPUs: UInt64 = 0, processes: Int64 = 0) {
            self.memoryBytes = memoryBytes
            self.nanoCPUs = nanoCPUs
            self.processes = processes
        }
    }
}
