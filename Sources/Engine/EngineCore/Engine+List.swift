// SPDX-License-Identifier: Apache-2.0

/// What containers there are.
extension Engine {
    /// One line of `ps`.
    package struct Summary: Hashable, Sendable {
        package var id: ContainerID
        package var name: String
        package var image: String
        package var imageID: String
        package var command: String
        package var createdAtUnixNanos: Int64
        package var status: ContainerStatus
        package var startedAtUnixNanos: Int64
        package var finishedAtUnixNanos: Int64
        package var exitCode: UInt32
        package var labels: [String: String]
        package var mounts: [String]
        package var network: String
        package var health: HealthStatus
    }

    /// The containers, newest first.
    /// - Parameter all: Also those that do not run; implied by a filter for a status or exit code.
    /// - Parameter filters: `key=value`; all keys must match, any value of a key.
    /// - Throws: `.badFilter`; or a `PeerError`.
    package func list(all: Bool, filters: [String]) async throws -> [Summary] {
        let filter = try SummaryFilter(filters)
        let supervised = try await supervisor.list().containers
        let states = Dictionary(supervised.map { ($0.id, $0) }) { $1 }
        let rows = try await database.read { db in try ContainerRow.all(db) }
        return rows.filter { $0.state != .creating }
            .map { Summary($0, states[$0.id]) }
            .filter { (all || filter.impliesAll || $0.status.isActive) && filter.matches($0) }
    }
}

/// A container's state in Docker's words.
package enum ContainerStatus: String, Sendable, CaseIterable {
    case created, running, paused, restarting, removing, exited
    /// Its row is there, but the supervisor does not know it.
    case dead

    package var isActive: Bool { [.running, .paused, .restarting].contains(self) }

    init(_ row: ContainerRow, _ state: SupervisedContainer?) {
        if row.state == .removing {
            self = .removing
            return
        }
        switch state?.phase {
        case nil: self = .dead
        case .created: self = .created
        case .running: self = .running
        case .paused: self = .paused
        case .restarting: self = .restarting
        // One that could never be started has not run.
        case .exited: self = state?.startedAtUnixNanos == 0 ? .created : .exited
        }
    }
}

extension Engine.Summary {
    init(_ row: ContainerRow, _ state: SupervisedContainer?) {
        self.init(
            id: row.id,
            name: row.name,
            image: row.settings.image,
            imageID: row.imageID,
            command: row.resolved.arguments.map { $0.contains(" ") ? "'\($0)'" : $0 }.joined(separator: " "),
            createdAtUnixNanos: row.createdAtUnixNanos,
            status: ContainerStatus(row, state),
            startedAtUnixNanos: state?.startedAtUnixNanos ?? 0,
            finishedAtUnixNanos: state?.exit?.atUnixNanos ?? 0,
            exitCode: state?.exit?.code ?? 0,
            labels: row.resolved.labels,
            mounts: ((row.resolved.inheritedMounts ?? []) + row.settings.binds.map(\.mount)
                + row.settings.storage.mounts)
                .map(\.source).filter { !$0.isEmpty },
            network: row.settings.network.rawValue,
            health: state?.health?.status ?? .none
        )
    }
}

/// Which containers are listed.
struct SummaryFilter: Sendable {
    private enum Key: String { case name, id, status, label, ancestor, exited, network, volume, health }

    private var wanted: [Key: [String]] = [:]

    init(_ texts: [String]) throws(EngineError) {
        for text in texts {
            guard let equals = text.firstIndex(of: "="), let key = Key(rawValue: String(text[..<equals]))
            else {
                throw .badFilter(
                    text,
                    "use name=, id=, status=, health=, label=, ancestor=, exited=, network= or volume="
                )
            }
            let value = String(text[text.index(after: equals)...])
            switch key {
            case .status where ContainerStatus(rawValue: value) == nil:
                throw .badFilter(
                    text,
                    "use \(ContainerStatus.allCases.map(\.rawValue).joined(separator: ", "))"
                )
            case .health where HealthStatus(rawValue: value) == nil:
                throw .badFilter(
                    text,
                    "use \(HealthStatus.allCases.map(\.rawValue).joined(separator: ", "))"
                )
            case .exited where UInt32(value) == nil: throw .badFilter(text, "an exit code is a number")
            default: wanted[key, default: []].append(value)
            }
        }
    }

    var impliesAll: Bool { wanted[.status] != nil || wanted[.exited] != nil }

    func matches(_ summary: Engine.Summary) -> Bool {
        wanted.allSatisfy { key, values in
            // Labels narrow each other down; of everything else, any will do.
            key == .label
                ? values.allSatisfy { matches(summary, key, $0) }
                : values.contains { matches(summary, key, $0) }
        }
    }

    private func matches(_ summary: Engine.Summary, _ key: Key, _ value: String) -> Bool {
        switch key {
        case .name: summary.name.contains(value.hasPrefix("/") ? String(value.dropFirst()) : value)
        case .id: summary.id.text.hasPrefix(value)
        case .status: summary.status.rawValue == value
        case .label: LabelFilter(value).matches(summary.labels)
        case .exited: summary.status == .exited && summary.exitCode == UInt32(value)
        case .health: summary.health.rawValue == value
        case .network: summary.network == value
        case .volume: summary.mounts.contains(value)
        case .ancestor:
            summary.image == value || ImageNames.withoutTag(summary.image) == value
                || summary.imageID == value
                || summary.imageID.hasPrefix("sha256:" + value)
        }
    }
}
