// SPDX-License-Identifier: Apache-2.0
import Messages
import Rendering
import System

/// Options of `run` and `create`: what is mounted, and how output is kept.
extension FurtherOptions {
    func addStorage(to config: inout EngineV1.ContainerConfig) throws(Failure) {
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
