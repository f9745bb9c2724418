// SPDX-License-Identifier: Apache-2.0
import JSON
import Messages
import RPC
import Rendering
import Services
import System

/// Which containers `ps` is asked to show, and how.
struct PsOrder: Sendable {
    var all = false
    var quiet = false
    var noTrunc = false
    var size = false
    var filters: [String] = []
    var last: Int?
    var latest = false
    var format = "table"

    func carryOut(_ engine: EngineConnection) async throws {
        // A number below 1 means all of them, as with Docker.
        let newest = latest ? 1 : last.flatMap { $0 > 0 ? $0 : nil }
        // Only what is shown is measured: that takes a walk through the files.
        let measures = size || format.contains(".Size")
        let containers = try await engine.listContainers(
            "list containers",
            all: all || newest != nil,
            filters: filters,
            sizes: measures
        )
        let sorted = containers.sorted { $0.createdAtUnixNanos > $1.createdAtUnixNanos }
        let shown = sorted.prefix(newest ?? sorted.count)
        var columns: [Listing.Column] = [
            .init("ID", "CONTAINER ID"), .init("Image", "IMAGE"), .init("Command", "COMMAND"),
            .init("RunningFor", "CREATED"), .init("Status", "STATUS"), .init("Ports", "PORTS"),
            .init("Names", "NAMES"),
        ]
        if size { columns.append(.init("Size", "SIZE")) }
        try Listing(columns: columns, rows: shown.map { row($0) }, labels: shown.map(\.labels))
            .show(format: quiet ? "{{.ID}}" : format, isWhole: noTrunc)
    }

    private func row(_ container: EngineV1.ContainerSummary) -> JSON.Object {
        let now = Clock.wallNanos
        let status = HumanDuration.status(
            state: container.state,
            exitCode: container.exitCode,
            startedAt: container.startedAtUnixNanos,
            finishedAt: container.finishedAtUnixNanos,
            health: container.health,
            now: now
        )
        let labels = container.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return [
            "ID": .string(noTrunc ? container.id : Shortened.id(container.id)),
            "Image": .string(noTrunc ? container.image : Shortened.image(container.image)),
            "Command": .string(Quoted.text(Shortened.text(container.command, limit: noTrunc ? .max : 20))),
            "RunningFor": .string(HumanDuration.ago(container.createdAtUnixNanos, now: now)),
            "Status": .string(status),
            "Ports": "",
            "Names": .string(container.name),
            "CreatedAt": .string(Timestamp(unixNanos: container.createdAtUnixNanos).spelledOut),
            "State": .string(container.state),
            "Labels": .string(labels.joined(separator: ",")),
            "LocalVolumes": "0",
            "Mounts": .string(container.mounts.joined(separator: ",")),
            "Networks": .string(container.network),
            "Size": .string(
                HumanSize.decimal(container.writtenBytes)
                    + (container.rootBytes > 0 ? " (virtual \(HumanSize.decimal(container.rootBytes)))" : "")
            ),
        ]
    }
}

extension PsOrder {
    /// - Returns: nil where only the argument parser can tell what is wrong.
    init?(_ options: [UsualWords.Option]) {
        for option in options {
            guard take(option) else { return nil }
        }
    }

    /// Takes an option by one of its names.
    private mutating func take(_ option: UsualWords.Option) -> Bool {
        let value = option.value ?? ""
        switch option.name {
        case "all", "a": all = true
        case "quiet", "q": quiet = true
        case "no-trunc": noTrunc = true
        case "size", "s": size = true
        case "latest", "l": latest = true
        case "filter", "f": filters.append(value)
        case "format": format = value
        case "last", "n":
            guard let number = Int(value) else { return false }
            last = number
        default: return false
        }
        return true
    }
}
