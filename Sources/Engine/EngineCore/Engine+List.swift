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
        /// Where they are in the container.
        package var mountTargets: [String]
        package var network: String
        package var health: HealthStatus
        /// Only where sizes were asked for.
        package var written: ImageUsage.Written?
    }

    /// The containers, newest first.
    /// - Parameter all: Also those that do not run; implied by a filter for a status or exit code.
    /// - Parameter filters: `key=value`; all keys must match, any value of a key.
    /// - Parameter sizes: Also how much each has written, which takes time.
    /// - Throws: `.badFilter`; `.containerNotFound` for one that a filter compares with; or a `PeerError`.
    package func list(all: Bool, filters: [String], sizes: Bool = false) async throws -> [Summary] {
        var filter = try SummaryFilter(filters)
        for reference in filter.before { filter.madeBefore(try await row(reference).createdAtUnixNanos) }
        for reference in filter.since { filter.madeAfter(try await row(reference).createdAtUnixNanos) }
        let supervised = try await supervisor.list().containers
        let states = Dictionary(supervised.map { ($0.id, $0) }) { $1 }
        let rows = try await database.containers()
        let shown = rows.filter { $0.state != .creating }
            .map { Summary($0, states[$0.id]) }
            .filter { (all || filter.impliesAll || $0.status.isActive) && filter.matches($0) }
        guard sizes else { return shown }
        let usage = try await images.usage(containers: true)
        return shown.map { summary in
            var summary = summary
            summary.written = usage.containers[summary.id.text]
            return summary
        }
    }
}

/// A container's state in Docker's words.
package enum ContainerStatus: String, Sendable, CaseIterable {
    case created, running, paused, restarting, removing, exited
    /// Its row is there, but the supervisor does not know it.
    case dead

    package var isActive: Bool { [.running, .paused, .restarting].contains(self) }

    init(_ row: ContainerRow, _ state: SupervisedContainer?) {
        if row.state.isRemoval {
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
        let mounts =
            (row.resolved.inheritedMounts ?? []) + row.settings.binds.map(\.mount)
            + row.settings.storage.mounts
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
            mounts: mounts.map(\.source).filter { !$0.isEmpty },
            mountTargets: mounts.map(\.target),
            network: row.settings.network.rawValue,
            health: state?.health?.status ?? .none
        )
    }
}
