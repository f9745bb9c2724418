// SPDX-License-Identifier: Apache-2.0

/// Ids of which no container is to be made any more, for longer than a request may be on its way.
package struct Refusals: Sendable {
    private static let memoryNanos: Int64 = 600_000_000_000
    private static let most = 1024

    /// In the order in which they came.
    private var ids: [(id: ContainerID, atBootNanos: Int64)] = []
    private var known: Set<ContainerID> = []

    package init() {}

    package func contains(_ id: ContainerID) -> Bool { known.contains(id) }

    package mutating func add(_ id: ContainerID, atBootNanos now: Int64) {
        let old = ids.prefix { now - $0.atBootNanos > Self.memoryNanos }.count
        // Many at once, so that a full memory is not moved for each.
        let surplus = max(old, ids.count >= Self.most ? Self.most / 4 : 0)
        known.subtract(ids.prefix(surplus).map(\.id))
        ids.removeFirst(surplus)
        if known.insert(id).inserted { ids.append((id, now)) }
    }
}
