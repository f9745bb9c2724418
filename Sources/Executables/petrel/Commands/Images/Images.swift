// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import JSON
import Messages
import RPC
import Rendering
import Services
import System

struct Images: EngineCommand {
    static let configuration = CommandConfiguration(
        commandName: "images",
        _superCommandName: Petrel.name,
        abstract: "List images.",
        discussion: "EXAMPLE:\n  petrel images --digests busybox"
    )

    @Flag(name: [.short, .long], help: "Only ids.") var quiet = false
    @Flag(name: [.short, .long], help: "Also those without a name.") var all = false
    @Flag(name: .long, help: "Whole ids.") var noTrunc = false
    @Flag(name: .long, help: "Show digests.") var digests = false
    @Option(
        name: .long,
        parsing: .unconditional,
        help: "'table', 'json', 'table TEMPLATE', or a template such as '{{.ID}} {{.Tag}}'."
    )
    var format = "table"
    @Option(
        name: [.customShort("f", allowingJoined: true), .long],
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "before=, dangling=, label=, reference=, since= or until=; may be repeated.",
            valueName: "key=value"
        )
    )
    var filter: [String] = []
    @Argument(help: "Only images of this name, or pattern of names.") var reference: String?
    @OptionGroup var place: PlaceOptions

    func run(_ engine: EngineConnection) async throws {
        let images = try await engine.listImages(
            "list images",
            all: all,
            reference: reference ?? "",
            filters: filter
        )
        let sorted = images.sorted { $0.createdAtUnixNanos > $1.createdAtUnixNanos }
        let rows = sorted.flatMap { image -> [JSON.Object] in
            let names = image.references.isEmpty ? [Self.nameless(image)] : image.references
            return names.map { row(image, $0) }
        }
        guard !quiet else {
            // One line for each image, however many names it has.
            var seen: Set<String> = []
            for row in rows {
                let id = row["ID"]?.string ?? ""
                if seen.insert(id).inserted { Screen.print(id) }
            }
            return
        }
        var columns: [Listing.Column] = [.init("Repository", "REPOSITORY"), .init("Tag", "TAG")]
        if digests { columns.append(.init("Digest", "DIGEST")) }
        columns += [.init("ID", "IMAGE ID"), .init("CreatedSince", "CREATED"), .init("Size", "SIZE")]
        try Listing(columns: columns, rows: rows).show(format: format, isWhole: noTrunc)
    }

    /// The repository that an image without a tag was pulled from, if it was.
    private static func nameless(_ image: EngineV1.ImageSummary) -> String {
        image.repositoryDigests.first.map { ImageName($0).repository } ?? "<none>"
    }

    private func row(_ image: EngineV1.ImageSummary, _ reference: String) -> JSON.Object {
        let name = ImageName(reference)
        let digest = image.repositoryDigests.lazy.map(ImageName.init).first {
            $0.repository == name.repository
        }
        let created = image.createdAtUnixNanos
        return [
            "Repository": .string(name.repository),
            "Tag": .string(name.tag),
            "Digest": .string(digest?.digest ?? "<none>"),
            "ID": .string(noTrunc ? image.id : Shortened.id(image.id)),
            "CreatedSince": .string(
                image.damaged
                    ? "damaged" : created == 0 ? "N/A" : HumanDuration.ago(created, now: Clock.wallNanos)
            ),
            "CreatedAt": .string(Timestamp(unixNanos: created).spelledOut),
            "Size": .string(HumanSize.decimal(image.sizeBytes)),
            "VirtualSize": .string(HumanSize.decimal(image.sizeBytes)),
            "SharedSize": "N/A",
            "UniqueSize": "N/A",
            "Containers": .string(String(image.containers)),
        ]
    }
}
