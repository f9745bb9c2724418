// SPDX-License-Identifier: Apache-2.0

/// Limits that `update` sets; nil: as they are.
///
/// Kept in the database as JSON, all updates of a container merged: a field added later must be optional.
package struct LimitsChange: Codable, Hashable, Sendable {
    package var memoryBytes: Int64?
    /// Memory and swap together; -1: without limit.
    package var memorySwapBytes: Int64?
    package var memoryReservationBytes: Int64?
    package var nanoCPUs: Int64?
    package var cpuShares: Int64?
    package var cpuPeriodMicros: Int64?
    /// -1: without limit.
    package var cpuQuotaMicros: Int64?
    package var cpusetCPUs: String?
    package var cpusetMemories: String?
    /// -1: without limit.
    package var processes: Int64?
    package var blockWeight: Int64?

    package init() {}

    package var isEmpty: Bool { self == LimitsChange() }

    /// These limits, and the other ones where these say nothing.
    package func over(_ other: LimitsChange) -> LimitsChange {
        var result = other
        result.memoryBytes = memoryBytes ?? other.memoryBytes
        result.memorySwapBytes = memorySwapBytes ?? other.memorySwapBytes
        result.memoryReservationBytes = memoryReservationBytes ?? other.memoryReservationBytes
        result.cpuShares = cpuShares ?? other.cpuShares
        result.cpusetCPUs = cpusetCPUs ?? other.cpusetCPUs
        result.cpusetMemories = cpusetMemories ?? other.cpusetMemories
        result.processes = processes ?? other.processes
        result.blockWeight = blockWeight ?? other.blockWeight
        // A number of CPUs and a quota are two ways to say the same: the later one counts.
        if nanoCPUs != nil {
            (result.nanoCPUs, result.cpuPeriodMicros, result.cpuQuotaMicros) = (nanoCPUs, nil, nil)
        } else if cpuPeriodMicros != nil || cpuQuotaMicros != nil {
            result.nanoCPUs = other.nanoCPUs == nil ? nil : 0
            result.cpuPeriodMicros = cpuPeriodMicros ?? other.cpuPeriodMicros
            result.cpuQuotaMicros = cpuQuotaMicros ?? other.cpuQuotaMicros
        }
        return result
    }
}

/// An update that was begun: limits, restart policy or both.
package struct ContainerUpdate: Codable, Hashable, Sendable {
    package var limits: LimitsChange
    /// Nil: as it is.
    package var restart: ContainerSettings.RestartPolicy?

    package init(limits: LimitsChange, restart: ContainerSettings.RestartPolicy?) {
        self.limits = limits
        self.restart = restart
    }
}
