// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// A number that any thread may look at.
final class Counter: Sendable {
    private let value = Atomic(0)

    var count: Int { value.load(ordering: .relaxed) }
    var isAnything: Bool { count > 0 }

    func enter() { value.add(1, ordering: .relaxed) }

    func leave() { value.subtract(1, ordering: .relaxed) }

    func reset() { value.store(0, ordering: .relaxed) }
}
