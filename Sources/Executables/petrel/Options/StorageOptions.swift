// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import Rendering
import System

/// Options of `run` and `create`: what is mounted, and how output is kept.
struct StorageOptions: ParsableArguments {
    @Option(
        parsing: .unconditionalSingleValue,
        help: "type=bind,source=/here,target=/there[,readonly], or type=tmpfs,target=/there[,tmpfs-size=64m]."
    ) var mount: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "Mount a tmpfs: /there[:size=64m,mode=1777,exec].")
    var tmpfs: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "Mount what another container has: NAME[:ro].")
    var volumesFrom: [String] = []
    @Option(parsing: .unconditional, help: "How output is kept: local, json-file or none.") var logDriver = ""
    @Option(
        parsing: .unconditionalSingleValue,
        help: "max-size=10m, max-file=3, mode=non-blocking, max-buffer-size=4m."
    ) var logOpt: [String] = []

    func add(to config: inout EngineV1.ContainerConfig) throws(Failure) {
        let directory = (try? SystemEnvironment.workingDirectory()) ?? "/"
        config.mounts = try mount.map { text throws(Failure) in
            let option = try MountOption(text, workingDirectory: directory)
            return EngineV1.Mount(
                type: option.type,
                source: option.source,
                target: option.target,
                readOnly: option.isReadOnly,
                propagation: option.propagation,
                nonRecursive: option.isNonRecursive,
                createSource: option.createsSource,
                tmpfsSizeBytes: option.sizeBytes,
                tmpfsMode: option.mode
            )
        }
        for text in tmpfs {
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(
                String.init
            )
            config.tmpfs[parts[0]] = parts.count == 2 ? parts[1] : ""
        }
        config.volumesFrom = volumesFrom
        let options = try PairText.pairs(logOpt, option: "--log-opt")
        config.log = EngineV1.LogConfig(driver: logDriver, options: options)
    }
}
