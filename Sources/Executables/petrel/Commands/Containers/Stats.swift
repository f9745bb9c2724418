// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import JSON
import Messages
import RPC
import Rendering
import Services
import System

struct Stats: EngineCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        _superCommandName: Petrel.name,
        abstract: "Show what containers use, again and again.",
        discussion: "EXAMPLE:\n  petrel stats --no-stream web"
    )

    @Flag(name: [.short, .long], help: "Also those that do not run.") var all = false
    @Flag(name: .customLong("no-stream"), help: "Only once.") var once = false
    @Flag(name: .long, help: "Whole ids, and lines as long as they are.") var noTrunc = false
    @Option(
        name: .long,
        parsing: .unconditional,
        help: "table, json, or a template such as '{{.Name}} {{.CPUPerc}}'."
    )
    var format = "table"
    @Argument(help: "Names or ids; none: all that run.") var containers: [String] = []
    @OptionGroup var place: PlaceOptions

    func run(_ engine: EngineConnection) async throws {
        let request = EngineV1.StatsRequest(containers: containers, all: all, once: once)
        // A format that is none is told before anything is asked.
        _ = try listing([]).lines(format: format)
        var interruptions = Interruptions()
        while true {
            do throws(RPCError) {
                let stream = try await engine.containers.stats(request)
                while let round = try await stream.next() {
                    do { try show(round) } catch { throw RPCError(.cancelled, "\(error)", details: []) }
                }
                return
            } catch {
                guard interruptions.count(error) else { throw engine.failure("stats", error) }
                try await engine.comeBack("stats", after: error)
            }
        }
    }

    private func listing(_ containers: [EngineV1.ContainerStats]) -> Listing {
        Listing(
            columns: [
                .init("ID", "CONTAINER ID"), .init("Name", "NAME"), .init("CPUPerc", "CPU %"),
                .init("MemUsage", "MEM USAGE / LIMIT"), .init("MemPerc", "MEM %"), .init("NetIO", "NET I/O"),
                .init("BlockIO", "BLOCK I/O"), .init("PIDs", "PIDS"),
            ],
            rows: containers.map(row)
        )
    }

    private func show(_ round: EngineV1.StatsResponse) throws(Failure) {
        let width = noTrunc ? nil : Screen.tableWidth
        let lines = try listing(round.containers).lines(format: format, width: width)
        // In place at a terminal: from the top, each line's rest and everything below erased.
        let isRefreshed = !once && CurrentProcess.isTerminal(1)
        let start = isRefreshed ? "\u{1b}[H" : ""
        let end = isRefreshed ? "\u{1b}[K\n" : "\n"
        Screen.write(start + lines.map { $0 + end }.joined() + (isRefreshed ? "\u{1b}[J" : ""), to: 1)
    }

    private func row(_ container: EngineV1.ContainerStats) -> JSON.Object {
        let id = noTrunc ? container.id : Shortened.id(container.id)
        let limit = container.memoryLimitBytes
        let share = limit == 0 ? 0 : Double(container.memoryBytes) * 100 / Double(limit)
        func pair(_ first: UInt64, _ second: UInt64) -> String {
            "\(HumanSize.decimal(first)) / \(HumanSize.decimal(second))"
        }
        return [
            "ID": .string(id),
            // As it was asked for.
            "Container": .string(
                containers.first { $0 == container.name || container.id.hasPrefix($0) } ?? id
            ),
            "Name": .string(container.name),
            "CPUPerc": .string(Percent.text(container.cpuPercent)),
            "MemUsage": .string(
                "\(HumanSize.binary(container.memoryBytes)) / \(HumanSize.binary(limit))"
            ),
            "MemPerc": .string(Percent.text(share)),
            "NetIO": .string(pair(container.receivedBytes, container.sentBytes)),
            "BlockIO": .string(pair(container.readBytes, container.writtenBytes)),
            "PIDs": .string(String(container.processes)),
        ]
    }
}
