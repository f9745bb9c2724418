// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Rendering

/// Options that the Docker command line has and this one has not yet: they are understood, and refused by name.
struct LaterOptions: ParsableArguments {
    @Option(
        name: [.customShort("p", allowingJoined: true), .long],
        parsing: .unconditionalSingleValue,
        help: .hidden
    ) var publish: [String] = []
    @Flag(name: [.customShort("P"), .long], help: .hidden) var publishAll = false
    @Option(parsing: .unconditionalSingleValue, help: .hidden) var expose: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: .hidden) var ip: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: .hidden) var ip6: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: .hidden) var macAddress: [String] = []
    @Option(
        name: [.customLong("network-alias"), .customLong("net-alias")],
        parsing: .unconditionalSingleValue,
        help: .hidden
    ) var networkAlias: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: .hidden) var link: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: .hidden) var linkLocalIp: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: .hidden) var volumeDriver: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: .hidden) var storageOpt: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: .hidden) var gpus: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: .hidden) var runtime: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: .hidden) var isolation: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: .hidden) var blkioWeightDevice: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: .hidden) var cpuRtPeriod: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: .hidden) var cpuRtRuntime: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: .hidden) var kernelMemory: [String] = []
    @Flag(help: .hidden) var useApiSocket = false

    /// - Throws: `Failure` for the first of them that is given.
    func check(_ what: String) throws(Failure) {
        let needsNetworks = "networks of containers come later; use --network host, none or container:NAME"
        let needsVolumes = "volumes with names come later; use -v /path/here:/path/in/container"
        let options: [(name: String, isGiven: Bool, advice: String)] = [
            ("--publish", !publish.isEmpty, needsNetworks), ("--publish-all", publishAll, needsNetworks),
            ("--expose", !expose.isEmpty, needsNetworks), ("--ip", !ip.isEmpty, needsNetworks),
            ("--ip6", !ip6.isEmpty, needsNetworks), ("--mac-address", !macAddress.isEmpty, needsNetworks),
            ("--network-alias", !networkAlias.isEmpty, needsNetworks),
            ("--link", !link.isEmpty, needsNetworks),
            ("--link-local-ip", !linkLocalIp.isEmpty, needsNetworks),
            ("--volume-driver", !volumeDriver.isEmpty, needsVolumes),
            ("--storage-opt", !storageOpt.isEmpty, ""), ("--gpus", !gpus.isEmpty, "use --device"),
            ("--runtime", !runtime.isEmpty, "there is one runtime"),
            ("--isolation", !isolation.isEmpty, "it is for Windows"),
            ("--blkio-weight-device", !blkioWeightDevice.isEmpty, "use --blkio-weight"),
            ("--cpu-rt-period", !cpuRtPeriod.isEmpty, ""), ("--cpu-rt-runtime", !cpuRtRuntime.isEmpty, ""),
            ("--kernel-memory", !kernelMemory.isEmpty, "use --memory, which counts the kernel's too"),
            ("--use-api-socket", useApiSocket, ""),
        ]
        for option in options where option.isGiven {
            throw Failure(
                "\(what): \(option.name)",
                "is not supported yet",
                advice: option.advice,
                exitCode: 125
            )
        }
    }
}
