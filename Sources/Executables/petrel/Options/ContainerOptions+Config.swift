// SPDX-License-Identifier: Apache-2.0
import Messages
import Rendering
import System

/// What the options of `run` and `create` ask for.
extension ContainerOptions {
    /// The request's part.
    /// - Parameter further: nil: nothing of it was said.
    /// - Throws: `Failure` with exit code 125.
    func config(
        image: String,
        command: [String],
        what: String,
        further: FurtherOptions?,
        detaches: Bool = false
    ) throws(Failure) -> EngineV1.ContainerConfig {
        let restartPolicy = try restartPolicy(what)
        let attached = try attached(detaches: detaches)
        var config = EngineV1.ContainerConfig(
            image: image,
            entrypoint: entrypoint.map { $0.isEmpty ? [] : [$0] } ?? [],
            entrypointSet: entrypoint != nil,
            command: command,
            environment: try TextFiles.environment(files: environmentFiles, options: environment),
            workingDirectory: workdir ?? "",
            user: user ?? "",
            hostname: hostname ?? "",
            labels: try TextFiles.labels(files: further?.labelFile ?? [], options: label),
            volumes: try volumes(),
            restartPolicy: EngineV1.RestartPolicy(
                name: restartPolicy.name,
                maximumRetries: restartPolicy.maximumRetries
            ),
            limits: try limits(),
            capabilitiesAdded: capAdd,
            capabilitiesDropped: capDrop,
            privileged: privileged,
            network: network,
            autoRemove: remove,
            terminal: tty,
            openStdin: interactive,
            // Whoever was attached to it has said everything.
            stdinOnce: interactive && !detaches,
            stopSignal: stopSignal ?? "",
            stopTimeoutSeconds: stopTimeout.map { $0 < 0 ? .max : UInt32(clamping: $0) },
            readOnlyRoot: readOnly,
            consoleSize: tty ? Console.size : nil,
            attached: attached
        )
        if let further {
            try further.addStorage(to: &config)
            try further.addResources(to: &config)
            try further.addIsolation(to: &config)
            try further.addNames(to: &config)
            try further.addHealth(to: &config)
        }
        return config
    }

    private func attached(detaches: Bool) throws(Failure) -> EngineV1.AttachedStreams {
        let streams = try streams()
        guard !detaches else { return EngineV1.AttachedStreams() }
        return EngineV1.AttachedStreams(stdin: streams.input, stdout: streams.output, stderr: streams.error)
    }

    /// What `run` attaches to, as the Docker command line has it.
    /// - Throws: `Failure` with exit code 125 for what is no stream.
    func streams() throws(Failure) -> Attachment.Streams {
        let names = attach.map { $0.lowercased() }
        for name in names where !["stdin", "stdout", "stderr"].contains(name) {
            throw Failure(
                "--attach '\(name)'",
                "is no stream",
                advice: "use stdin, stdout or stderr",
                exitCode: 125
            )
        }
        return Attachment.Streams(
            input: interactive || names.contains("stdin"),
            output: names.isEmpty || names.contains("stdout"),
            error: names.isEmpty || names.contains("stderr")
        )
    }

    private func volumes() throws(Failure) -> [EngineV1.Volume] {
        let directory = (try? SystemEnvironment.workingDirectory()) ?? "/"
        return try volume.map { (text) throws(Failure) in
            let option = try VolumeOption(text, workingDirectory: directory)
            return EngineV1.Volume(
                source: option.source,
                target: option.target,
                readOnly: option.isReadOnly,
                propagation: option.propagation,
                createSource: true
            )
        }
    }

    /// Of options that exclude each other, too.
    private func restartPolicy(_ what: String) throws(Failure) -> RestartOption {
        let restartPolicy = try RestartOption(restart)
        guard !remove || restartPolicy.name == "no" else {
            throw Failure(what, "--rm and --restart exclude each other", exitCode: 125)
        }
        guard ["missing", "always", "never"].contains(pull) else {
            throw Failure(
                "--pull '\(pull)'",
                "is not known",
                advice: "use missing, always or never",
                exitCode: 125
            )
        }
        return restartPolicy
    }

    private func limits() throws(Failure) -> EngineV1.Limits {
        var limits = EngineV1.Limits(pids: pidsLimit ?? 0)
        if let memory {
            guard let bytes = HumanSize.bytes(memory) else {
                throw Failure("--memory '\(memory)'", "is no size", advice: "write 512m or 2g", exitCode: 125)
            }
            limits.memoryBytes = bytes
        }
        if let cpus {
            guard let nano = Processors.nano(cpus) else {
                throw Failure(
                    "--cpus '\(cpus)'",
                    "is no number of processors",
                    advice: "write 0.5 or 2",
                    exitCode: 125
                )
            }
            limits.nanoCpus = nano
        }
        return limits
    }
}
