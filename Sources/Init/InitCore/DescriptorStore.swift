// SPDX-License-Identifier: Apache-2.0
package import System

/// Descriptors that a daemon has given petrel-init to keep for its next process, in the order they came.
///
/// Owns them: what is removed or replaced is closed. Bounded, so that a daemon that stores without end cannot use up
/// petrel-init's own descriptors.
package struct DescriptorStore: Sendable {
    package struct Entry: Sendable {
        package let name: String
        package let descriptor: SharedDescriptor
    }

    package private(set) var entries: [Entry] = []
    private let limit: Int

    /// Most descriptors that one daemon may store.
    package static let defaultLimit = 16_384

    package init(limit: Int = defaultLimit) { self.limit = limit }

    /// The same open file under the same name is kept once, so that a daemon may store again what it has stored.
    /// - Returns: false when there is no room; the descriptor is closed then.
    package mutating func store(_ descriptor: SharedDescriptor, as name: String) -> Bool {
        let isKept = entries.contains {
            $0.name == name && CurrentProcess.isSameFile($0.descriptor.raw, descriptor.raw)
        }
        if isKept { return true }
        guard entries.count < limit else { return false }
        entries.append(Entry(name: name, descriptor: descriptor))
        return true
    }

    /// Closes all that are called `name`.
    package mutating func remove(_ name: String) {
        entries.removeAll { $0.name == name }
    }
}
