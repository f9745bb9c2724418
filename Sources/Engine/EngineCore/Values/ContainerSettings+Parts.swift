// SPDX-License-Identifier: Apache-2.0

// Parts of a container's settings, by topic. Kept in the database as JSON: a field added later must be optional or
// `Added`.

extension ContainerSettings {
    /// Limits beside the basic ones; 0 and empty are "without".
    package struct Resources: Codable, Hashable, Sendable, EmptyValue {
        package struct Rate: Codable, Hashable, Sendable {
            package var path: String
            package var rate: UInt64

            package init(path: String, rate: UInt64) {
                self.path = path
                self.rate = rate
            }
        }

        /// Memory and swap together; -1: without limit; 0: twice the memory.
        package var memorySwapBytes: Int64 = 0
        package var memoryReservationBytes: UInt64 = 0
        package var memorySwappiness: UInt32?
        package var disablesOOMKiller = false
        package var cpuShares: Int64 = 0
        package var cpuPeriodMicros: Int64 = 0
        package var cpuQuotaMicros: Int64 = 0
        package var cpusetCPUs = ""
        package var cpusetMemories = ""
        package var blockWeight: UInt32 = 0
        package var readBytes: [Rate] = []
        package var writeBytes: [Rate] = []
        package var readOperations: [Rate] = []
        package var writeOperations: [Rate] = []

        package init() {}
    }

    /// What is mounted beside the plain bind mounts.
    package struct Storage: Codable, Hashable, Sendable, EmptyValue {
        package struct Mount: Codable, Hashable, Sendable {
            package enum Kind: String, Codable, Sendable { case bind, tmpfs }

            package var kind: Kind
            package var source = ""
            package var target: String
            package var readOnly = false
            package var propagation = ""
            package var isNonRecursive = false
            package var createSource = false
            /// 0: the kernel's choice.
            package var sizeBytes: UInt64 = 0
            /// 0: the kernel's choice, 01777.
            package var mode: UInt32 = 0

            package init(_ kind: Kind, target: String) {
                self.kind = kind
                self.target = target
            }
        }

        package var mounts: [Mount] = []
        /// Path → options, as given.
        package var tmpfs: [String: String] = [:]
        /// `<id>[:ro|rw]`.
        package var volumesFrom: [String] = []
        /// 0: 64 MiB.
        package var sharedMemoryBytes: UInt64 = 0

        package init() {}
    }

    /// Device nodes of the host, and what may be done with which.
    package struct Devices: Codable, Hashable, Sendable, EmptyValue {
        package struct Mapping: Codable, Hashable, Sendable {
            package var source: String
            package var target: String
            /// Of r, w, m.
            package var permissions: String

            package init(source: String, target: String, permissions: String) {
                self.source = source
                self.target = target.isEmpty ? source : target
                self.permissions = permissions.isEmpty ? "rwm" : permissions
            }
        }

        package var mappings: [Mapping] = []
        /// `c 1:3 rwm`.
        package var rules: [String] = []

        package init() {}
    }

    /// What surrounds the program itself.
    package struct Process: Codable, Hashable, Sendable, EmptyValue {
        package struct Limit: Codable, Hashable, Sendable {
            package var name: String
            /// -1: without limit.
            package var soft: Int64
            package var hard: Int64

            package init(name: String, soft: Int64, hard: Int64) {
                self.name = name
                self.soft = soft
                self.hard = hard
            }
        }

        package var groups: [String] = []
        package var hasInit = false
        package var limits: [Limit] = []
        package var outOfMemoryScore: Int32 = 0

        package init() {}
    }

    /// Names: of the container, and how it finds others.
    package struct Names: Codable, Hashable, Sendable, EmptyValue {
        package var domainname = ""
        /// `name:address`.
        package var extraHosts: [String] = []
        package var servers: [String] = []
        package var search: [String] = []
        package var options: [String] = []

        package init() {}
    }

    /// How output is kept.
    package struct Log: Codable, Hashable, Sendable, EmptyValue {
        /// "local" where it is empty.
        package var driver = ""
        package var options: [String: String] = [:]

        package init() {}
    }

    /// How to see whether it is well, with Docker's fields. What is empty or 0 is the image's.
    package struct Health: Codable, Hashable, Sendable {
        package var test: [String] = []
        package var intervalNanos: Int64 = 0
        package var timeoutNanos: Int64 = 0
        package var retries: Int64 = 0
        package var startPeriodNanos: Int64 = 0
        package var startIntervalNanos: Int64 = 0

        package init() {}
    }
}
