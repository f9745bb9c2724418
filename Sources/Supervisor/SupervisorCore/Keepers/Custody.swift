// SPDX-License-Identifier: Apache-2.0
package import Messages
package import System

/// The second copies of a container's descriptors: with them, a keeper that died is replaced without loss.
///
/// A pure collection; `CustodyStore` keeps third copies beyond this process.
package struct Custody: Sendable {
    package typealias Role = KeeperV1.NamedDescriptor.Role

    /// Whose they are: a run of init, or an exec.
    package enum Holder: Hashable, Sendable {
        case run(UInt64)
        case exec(String)

        package init(run: UInt64, exec: String) { self = exec.isEmpty ? .run(run) : .exec(exec) }

        var name: String {
            switch self {
            case .run(let run): "r\(run)"
            case .exec(let exec): "e" + exec
            }
        }

        init?(name: Substring) {
            switch name.first {
            case "r":
                guard let run = UInt64(name.dropFirst()) else { return nil }
                self = .run(run)
            case "e": self = .exec(String(name.dropFirst()))
            default: return nil
            }
        }
    }

    package struct Key: Hashable, Sendable {
        package let holder: Holder
        package let role: Role

        package init(holder: Holder, role: Role) {
            self.holder = holder
            self.role = role
        }
    }

    package private(set) var held: [Key: SharedDescriptor] = [:]
    private var isOver = false

    package init() {}

    /// - Returns: Whether it was not held before, and is now.
    package mutating func hold(_ descriptor: SharedDescriptor, _ key: Key) -> Bool {
        guard !isOver, held[key] == nil else { return false }
        held[key] = descriptor
        return true
    }

    /// Lets go of those that `condition` names, and says which they were.
    package mutating func drop(where condition: (Key) -> Bool) -> [Key] {
        let keys = held.keys.filter(condition)
        for key in keys { held[key] = nil }
        return keys
    }

    /// Lets go of everything, says what it was, and holds nothing from now on: an offer may still be on its way when the
    /// container is removed, and nobody would let go of that again.
    package mutating func end() -> [Key] {
        isOver = true
        return drop { _ in true }
    }

    /// The process of a run.
    package func process(ofRun run: UInt64) -> SharedDescriptor? {
        held[Key(holder: .run(run), role: .pidfd)]
    }

    /// As Adopt requests name them, and in that order: each part fits into one packet. There is at least one part.
    package func forAdoption() -> [[(name: KeeperV1.NamedDescriptor, descriptor: SharedDescriptor)]] {
        let all = held.map { key, descriptor in
            switch key.holder {
            case .run(let run): (KeeperV1.NamedDescriptor(role: key.role, run: run), descriptor)
            case .exec(let exec): (KeeperV1.NamedDescriptor(role: key.role, execId: exec), descriptor)
            }
        }
        let starts = stride(from: 0, to: max(all.count, 1), by: Self.descriptorsAtOnce)
        return starts.map { Array(all[$0..<min($0 + Self.descriptorsAtOnce, all.count)]) }
    }

    private static let descriptorsAtOnce = 200
}

/// The names under which third copies lie in the descriptor store of petrel-init or systemd:
/// `<container>.<holder>.<role>`.
package enum CustodyName {
    package static func text(_ container: ContainerID, _ key: Custody.Key) -> String {
        "\(container.text).\(key.holder.name).\(key.role.rawValue)"
    }

    /// nil for a name that is not of custody.
    package static func parse(_ text: String) -> (container: ContainerID, key: Custody.Key)? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3,
            let container = ContainerID(String(parts[0])),
            let holder = Custody.Holder(name: parts[1]),
            let role = Int32(parts[2])
        else { return nil }
        return (container, Custody.Key(holder: holder, role: Custody.Role(rawValue: role)))
    }
}

/// Where third copies go. `SuiteNotifier` in the executable, nothing in tests.
package protocol DescriptorStore: Sendable {
    func store(_ descriptor: Int32, name: String)
    func remove(name: String)
}
