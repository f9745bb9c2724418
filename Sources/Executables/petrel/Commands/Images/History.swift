// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import JSON
import Messages
import RPC
import Rendering
import Services
import System

struct History: EngineCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        _superCommandName: Petrel.name,
        abstract: "Show how an image was made.",
        discussion: "EXAMPLE:\n  petrel history --no-trunc busybox"
    )

    @Flag(
        name: [.customShort("H"), .long],
        inversion: .prefixedNo,
        help: "Sizes and times for people; else bytes and dates."
    ) var human = true
    @Flag(name: .long, help: "Whole ids and commands.") var noTrunc = false
    @Flag(name: [.short, .long], help: "Only ids.") var quiet = false
    @Option(
        name: .long,
        parsing: .unconditional,
        help: "'table', 'json', 'table TEMPLATE', or a template such as '{{.Size}} {{.CreatedBy}}'."
    )
    var format = "table"
    @Option(name: .long, parsing: .unconditional, help: "Only if it is for this, such as linux/amd64.")
    var platform = ""
    @Argument(help: "Name or id.") var image: String
    @OptionGroup var place: PlaceOptions

    func run(_ engine: EngineConnection) async throws {
        let answer = try await engine.repeating("history \(image)") { () async throws(RPCError) in
            try await engine.images.history(EngineV1.ImageHistoryRequest(image: image, platform: platform))
        }
        try Listing(
            columns: [
                .init("ID", "IMAGE"), .init("CreatedSince", "CREATED"), .init("CreatedBy", "CREATED BY"),
                .init("Size", "SIZE"), .init("Comment", "COMMENT"),
            ],
            rows: answer.steps.map { row($0) }
        ).show(format: quiet ? "{{.ID}}" : format, isWhole: noTrunc)
    }

    private func row(_ step: EngineV1.ImageHistoryStep) -> JSON.Object {
        let date = Timestamp(unixNanos: step.createdAtUnixNanos).rfc3339(fractionDigits: 0)
        let age = HumanDuration.ago(step.createdAtUnixNanos, now: Clock.wallNanos)
        let isKnown = step.createdAtUnixNanos != 0
        let command = step.createdBy.replacing("\t", with: " ").replacing("\n", with: " ")
        let id = step.imageId.isEmpty ? "<missing>" : step.imageId
        return [
            "ID": .string(noTrunc ? id : Shortened.id(id)),
            "CreatedSince": .string(isKnown ? (human ? age : date) : "N/A"),
            "CreatedAt": .string(date),
            "CreatedBy": .string(noTrunc ? command : Shortened.text(command, limit: 45)),
            "Size": .string(human ? HumanSize.decimal(step.sizeBytes) : String(step.sizeBytes)),
            "Comment": .string(step.comment),
            "Tags": .string(step.references.joined(separator: ",")),
        ]
    }
}
