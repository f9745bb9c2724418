// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import RPC
import Rendering
import Services

struct Update: EngineCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        _superCommandName: Petrel.name,
        abstract: "Change limits and restart policy of containers.",
        discussion: "EXAMPLE:\n  petrel update --memory 512m --memory-swap 1g web"
    )

    @Option(
        name: [.customShort("m", allowingJoined: true), .long],
        parsing: .unconditional,
        help: "Most memory."
    )
    var memory: String?
    @Option(parsing: .unconditional, help: "Most memory and swap together; -1: no limit.") var memorySwap:
        String?
    @Option(parsing: .unconditional, help: "Memory that is left to it when memory is short.")
    var memoryReservation: String?
    @Option(parsing: .unconditional, help: "Most processor time, such as 1.5.") var cpus: String?
    @Option(
        name: [.customShort("c", allowingJoined: true), .long],
        parsing: .unconditional,
        help: "Weight among containers; 1024 is usual."
    ) var cpuShares: Int64?
    @Option(parsing: .unconditional, help: "Microseconds of each period.") var cpuQuota: Int64?
    @Option(parsing: .unconditional, help: "Microseconds that a period takes.") var cpuPeriod: Int64?
    @Option(parsing: .unconditional, help: "CPUs to use, such as 0-2,5.") var cpusetCpus: String?
    @Option(parsing: .unconditional, help: "Memory nodes to use, such as 0,1.") var cpusetMems: String?
    @Option(parsing: .unconditional, help: "Share of block IO: 10 to 1000.") var blkioWeight: UInt32?
    @Option(parsing: .unconditional, help: "Most processes and threads; -1: no limit.") var pidsLimit: Int64?
    @Option(parsing: .unconditional, help: "no, always, unless-stopped, on-failure or on-failure:N.")
    var restart: String?
    @Argument(help: "Names or ids.") var containers: [String]
    @OptionGroup var place: PlaceOptions

    func run(_ engine: EngineConnection) async throws {
        let template = try request()
        guard template != EngineV1.UpdateRequest() else {
            throw Failure("update", "you must provide one or more flags when using this command")
        }
        try await forEach(containers) { name in
            var request = template
            request.container = name
            let updated = try await engine.repeating("update \(name)") { () async throws(RPCError) in
                try await engine.containers.update(request)
            }
            for warning in updated.warnings { Screen.say("WARNING: \(warning)") }
            return name
        }
    }

    private func request() throws(Failure) -> EngineV1.UpdateRequest {
        var request = EngineV1.UpdateRequest(
            memoryBytes: try bytes("--memory", memory),
            memorySwapBytes: memorySwap == "-1" ? -1 : try bytes("--memory-swap", memorySwap),
            memoryReservationBytes: try bytes("--memory-reservation", memoryReservation),
            cpuShares: cpuShares ?? 0,
            cpuPeriodMicros: cpuPeriod ?? 0,
            cpuQuotaMicros: cpuQuota ?? 0,
            cpusetCpus: cpusetCpus ?? "",
            cpusetMems: cpusetMems ?? "",
            pids: pidsLimit ?? 0,
            blkioWeight: blkioWeight ?? 0
        )
        if let cpus {
            guard let nano = Processors.nano(cpus) else {
                throw Failure("--cpus '\(cpus)'", "is no number of processors", advice: "write 0.5 or 2")
            }
            request.nanoCpus = Int64(clamping: nano)
        }
        if let restart {
            let option = try RestartOption(restart)
            request.restartPolicy = EngineV1.RestartPolicy(
                name: option.name,
                maximumRetries: option.maximumRetries
            )
        }
        return request
    }

    private func bytes(_ name: String, _ text: String?) throws(Failure) -> Int64 {
        guard let text else { return 0 }
        guard let bytes = HumanSize.bytes(text) else {
            throw Failure("\(name) '\(text)'", "is no size", advice: "write 512m or 2g")
        }
        return Int64(clamping: bytes)
    }
}
