// SPDX-License-Identifier: Apache-2.0
internal import System

/// What containers use, round by round.
extension Engine {
    package struct Usage: Hashable, Sendable {
        package var id: ContainerID
        package var name: String
        /// Nil: it does not run.
        package var counted: SupervisedUsage?
        /// 100 is one processor that was busy since the round before.
        package var cpuPercent = 0.0
        /// Of the container, or else the machine's.
        package var memoryLimitBytes: UInt64 = 0

        /// As Docker counts it: without cache that nobody has used lately.
        package var memoryBytes: UInt64 {
            guard let counted else { return 0 }
            return counted.memoryBytes - min(counted.memoryBytes, counted.inactiveFileBytes)
        }
    }

    private static let roundNanos: Int64 = 1_000_000_000

    /// Hands over a round each second until cancelled; with `once`, the second round alone, which is the first that
    /// knows how busy the processors were. Ends, too, after an empty round where some were named: all of them are removed.
    /// - Parameter references: Empty: all that run; with `all`, those too that do not.
    /// - Throws: `.containerNotFound`, …; or a `PeerError`.
    package func stats(
        of references: [String],
        all: Bool,
        once: Bool,
        _ receive: ([Usage]) async throws -> Void
    ) async throws {
        var named: [ContainerID] = []
        for reference in references { named.append(try await row(reference).id) }
        var before: [ContainerID: SupervisedUsage] = [:]
        for round in 0... {
            let began = Clock.bootNanos
            let usages = try await usages(of: references.isEmpty ? nil : named, all: all, before)
            before = Dictionary(usages.compactMap { $0.counted.map { ($0.id, $0) } }) { $1 }
            if round > 0 || !once { try await receive(usages) }
            if once, round > 0 || before.isEmpty {
                if round == 0 { try await receive(usages) }
                return
            }
            if !references.isEmpty, usages.isEmpty { return }
            let left = Engine.roundNanos - (Clock.bootNanos - began)
            if left > 0 { try await Task.sleep(for: .nanoseconds(left)) }
        }
    }

    private func usages(
        of named: [ContainerID]?,
        all: Bool,
        _ before: [ContainerID: SupervisedUsage]
    ) async throws -> [Usage] {
        let rows = try await database.containers().filter {
            $0.state != .creating && (named?.contains($0.id) ?? true)
        }
        var counted: [ContainerID: SupervisedUsage] = [:]
        for usage in try await supervisor.usage(of: rows.map(\.id)) { counted[usage.id] = usage }
        let found = rows.map { row in
            var usage = Usage(id: row.id, name: row.name, counted: counted[row.id])
            guard let now = usage.counted else { return usage }
            usage.memoryLimitBytes =
                now.memoryLimitBytes == 0 ? host.memoryBytes : min(now.memoryLimitBytes, host.memoryBytes)
            if let old = before[row.id] { usage.cpuPercent = Engine.cpuPercent(old, now) }
            return usage
        }
        return named == nil && !all ? found.filter { $0.counted != nil } : found
    }

    /// A container that was started again between two rounds has less than before: then nothing is known.
    static func cpuPercent(_ old: SupervisedUsage, _ new: SupervisedUsage) -> Double {
        guard new.cpuNanos > old.cpuNanos, new.bootNanos > old.bootNanos else { return 0 }
        return Double(new.cpuNanos - old.cpuNanos) / Double(new.bootNanos - old.bootNanos) * 100
    }
}
