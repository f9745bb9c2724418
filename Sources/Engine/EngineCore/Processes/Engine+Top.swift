// SPDX-License-Identifier: Apache-2.0
internal import System

/// The processes of a container, as ps(1) on the host shows them.
extension Engine {
    package struct ProcessTable: Hashable, Sendable {
        package var titles: [String]
        package var rows: [[String]]
    }

    /// - Parameter arguments: Options of ps(1); empty: `-ef`.
    /// - Throws: `.notRunning`; `.invalidField` for options that cannot be served.
    package func top(_ reference: String, arguments: [String]) async throws -> ProcessTable {
        let columns = try ProcessColumns(arguments).columns
        let row = try await usableRow(reference)
        guard let usage = try await supervisor.usage(of: [row.id]).first else {
            throw EngineError.notRunning(row.id, name: row.name)
        }
        let rendering = ProcessRendering(
            nowBootNanos: Clock.bootNanos,
            nowWallNanos: Clock.wallNanos,
            memoryBytes: host.memoryBytes,
            users: Engine.names("/etc/passwd"),
            groups: Engine.names("/etc/group")
        )
        let rows = usage.processes.compactMap { ProcessFacts(of: Int32($0)) }.map { facts in
            columns.map { rendering.cell($0.key, facts) }
        }
        return ProcessTable(titles: columns.map(\.title), rows: rows)
    }

    /// The names of this machine's users or groups; the container's own may differ, as with ps on the host.
    private static func names(_ path: String) -> [UInt32: String] {
        var names: [UInt32: String] = [:]
        for line in ((try? Files.text(of: path)) ?? "").split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count > 2, let number = UInt32(fields[2]), names[number] == nil else { continue }
            names[number] = String(fields[0])
        }
        return names
    }
}
