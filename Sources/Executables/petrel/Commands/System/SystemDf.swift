// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import JSON
import Messages
import RPC
import Rendering
import Services
import System

struct SystemDf: EngineCommand {
    static let configuration = CommandConfiguration(
        commandName: "df",
        _superCommandName: Petrel.name,
        abstract: "Show what images and containers take on the disk.",
        discussion: "EXAMPLE:\n  petrel system df -v"
    )

    @Flag(name: [.short, .long], help: "Each image and container.") var verbose = false
    @Option(
        name: .long,
        parsing: .unconditional,
        help: "'table', 'json', 'table TEMPLATE', or a template such as '{{.Type}} {{.Size}}'."
    )
    var format = "table"
    @OptionGroup var place: PlaceOptions

    func validate() throws {
        guard !verbose || format == "table" || format == "json" || format == "{{json .}}" else {
            throw ValidationError("with --verbose, --format is 'table' or 'json'")
        }
    }

    func run(_ engine: EngineConnection) async throws {
        let usage = try await engine.repeating("system df") { () async throws(RPCError) in
            try await engine.system.diskUsage(EngineV1.DiskUsageRequest())
        }
        let report = DiskReport(usage)
        guard verbose else {
            return try Listing(
                columns: [
                    .init("Type", "TYPE"), .init("TotalCount", "TOTAL"), .init("Active", "ACTIVE"),
                    .init("Size", "SIZE"), .init("Reclaimable", "RECLAIMABLE"),
                ],
                rows: report.summary
            ).show(format: format)
        }
        if format != "table" {
            let document: JSON = [
                "Images": .array(report.images.map(JSON.object)),
                "Containers": .array(report.containers.map(JSON.object)),
            ]
            return Screen.print(document, pretty: false)
        }
        Screen.print("Images space usage:\n")
        try Listing(columns: DiskReport.imageColumns, rows: report.images).show(format: "table")
        Screen.print("\nContainers space usage:\n")
        try Listing(columns: DiskReport.containerColumns, rows: report.containers).show(format: "table")
        Screen.print("\nBlobs, the layers as they came: \(HumanSize.decimal(usage.blobsBytes))")
    }
}

/// The rows of `system df`.
private struct DiskReport {
    static let imageColumns: [Listing.Column] = [
        .init("Repository", "REPOSITORY"), .init("Tag", "TAG"), .init("ID", "IMAGE ID"),
        .init("CreatedSince", "CREATED"), .init("Size", "SIZE"), .init("SharedSize", "SHARED SIZE"),
        .init("UniqueSize", "UNIQUE SIZE"), .init("Containers", "CONTAINERS"),
    ]
    static let containerColumns: [Listing.Column] = [
        .init("ID", "CONTAINER ID"), .init("Image", "IMAGE"), .init("Command", "COMMAND"),
        .init("Size", "SIZE"),
        .init("RunningFor", "CREATED"), .init("Status", "STATUS"), .init("Names", "NAMES"),
    ]

    private let usage: EngineV1.DiskUsageResponse

    init(_ usage: EngineV1.DiskUsageResponse) { self.usage = usage }

    var summary: [JSON.Object] {
        let images = usage.images.compactMap(\.image)
        let unused = usage.images.filter { $0.image?.containers == 0 }
        let freeable = unused.reduce(0) { $0 + Self.unique($1) }
        let written = usage.containers.reduce(0) { $0 + $1.writtenBytes }
        let stopped = usage.containers.filter { !["running", "paused", "restarting"].contains($0.state) }
        return [
            row(
                "Images",
                images.count,
                images.filter { $0.containers > 0 }.count,
                usage.layersBytes,
                reclaimable: freeable
            ),
            row(
                "Containers",
                usage.containers.count,
                usage.containers.count - stopped.count,
                written,
                reclaimable: stopped.reduce(0) { $0 + $1.writtenBytes }
            ),
            row("Blobs", images.count, images.count, usage.blobsBytes, reclaimable: 0),
        ]
    }

    var images: [JSON.Object] {
        usage.images.compactMap { entry in
            guard let image = entry.image else { return nil }
            let name = ImageName(image.references.first ?? image.repositoryDigests.first ?? "<none>")
            let created = image.createdAtUnixNanos
            return [
                "Repository": .string(name.repository),
                "Tag": .string(name.tag),
                "ID": .string(Shortened.id(image.id)),
                "CreatedSince": .string(
                    created == 0 ? "N/A" : HumanDuration.ago(created, now: Clock.wallNanos)
                ),
                "Size": .string(HumanSize.decimal(image.sizeBytes)),
                "SharedSize": .string(HumanSize.decimal(entry.sharedBytes)),
                "UniqueSize": .string(HumanSize.decimal(Self.unique(entry))),
                "Containers": .string(String(image.containers)),
            ]
        }
    }

    var containers: [JSON.Object] {
        let now = Clock.wallNanos
        return usage.containers.map { container in
            [
                "ID": .string(Shortened.id(container.id)),
                "Image": .string(Shortened.image(container.image)),
                "Command": .string("\"" + Shortened.text(container.command, limit: 20) + "\""),
                "Size": .string(HumanSize.decimal(container.writtenBytes)),
                "RunningFor": .string(HumanDuration.ago(container.createdAtUnixNanos, now: now)),
                "Status": .string(
                    HumanDuration.status(
                        state: container.state,
                        exitCode: container.exitCode,
                        startedAt: container.startedAtUnixNanos,
                        finishedAt: container.finishedAtUnixNanos,
                        now: now
                    )
                ),
                "Names": .string(container.name),
            ]
        }
    }

    private static func unique(_ entry: EngineV1.ImageDiskUsage) -> UInt64 {
        let size = entry.image?.sizeBytes ?? 0
        return size > entry.sharedBytes ? size - entry.sharedBytes : 0
    }

    private func row(_ type: String, _ total: Int, _ active: Int, _ size: UInt64, reclaimable: UInt64)
        -> JSON.Object
    {
        let percent = size > 0 ? " (\(min(100, reclaimable * 100 / size))%)" : ""
        return [
            "Type": .string(type),
            "TotalCount": .string(String(total)),
            "Active": .string(String(active)),
            "Size": .string(HumanSize.decimal(size)),
            "Reclaimable": .string(HumanSize.decimal(reclaimable) + percent),
        ]
    }
}
