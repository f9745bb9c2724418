// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import JSON
import Messages
import RPC
import Rendering
import Services

struct Info: EngineCommand {
    static let configuration = CommandConfiguration(
        commandName: "info",
        _superCommandName: Petrel.name,
        abstract: "Show what the engine knows about itself and this machine.",
        discussion: "EXAMPLE:\n  petrel info --format '{{.ContainersRunning}}'"
    )

    /// As the Docker command line calls what scripts look for.
    private static let labels = [
        "ContainersPaused": " Paused", "ContainersRunning": " Running", "ContainersStopped": " Stopped",
        "CpuCfsPeriod": "CPU CFS Period", "CpuCfsQuota": "CPU CFS Quota", "CPUShares": "CPU Shares",
        "CPUSet": "CPU Set", "Driver": "Storage Driver", "MemTotal": "Total Memory", "NCPU": "CPUs",
        "NFd": "File Descriptors", "OSType": "OSType", "OomKillDisable": "OOM Kill Disable",
    ]

    @Option(name: [.short, .long], parsing: .unconditional, help: "'json', or a template.") var format:
        String?
    @OptionGroup var place: PlaceOptions

    func run(_ engine: EngineConnection) async throws {
        let answer = try await engine.repeating("info") { () async throws(RPCError) in
            try await engine.system.info(EngineV1.InfoRequest())
        }
        let document: JSON
        do { document = try JSON(parsing: answer.json) } catch {
            throw Failure("info", "the engine's answer cannot be read: \(error)")
        }
        if let format { return try document.show(format: format) }
        let lines = Outline.lines(of: document, labels: Self.labels, sizes: ["MemTotal", "MemFree"])
        for line in lines where !line.hasPrefix("Warnings") { Screen.print(line) }
        for warning in document["Warnings"]?.array ?? [] {
            if let text = warning.string { Screen.say(text.hasPrefix("WARNING") ? text : "WARNING: " + text) }
        }
    }
}
