// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import Rendering

/// What `run` is asked to do.
struct RunOrder {
    var detaches = false
    var options: ContainerOptions
    /// nil: nothing of it was said.
    var further: FurtherOptions?
    var keys: DetachKeys
    var forwardsSignals = true
    let image: String
    let command: [String]

    /// Makes the container and starts it; unless it is to be left alone, attaches to it and waits for its end.
    /// - Throws: `Failure`; the container's exit code as an `ExitCode`.
    func carryOut(_ engine: EngineConnection) async throws {
        let streams = try options.streams()
        if detaches {
            guard options.attach.isEmpty else {
                throw Failure("run \(image)", "--attach and --detach exclude each other", exitCode: 125)
            }
        } else {
            try Console.check(attachesInput: streams.input, hasTerminal: options.tty)
        }
        let config = try options.config(
            image: image,
            command: command,
            what: "run \(image)",
            further: further,
            detaches: detaches
        )
        // One call makes and starts it. A start that fails with --rm is the engine's to clean up after: from here a container
        // may be running, and is never removed because of what went wrong between us.
        let creation = Creation(engine: engine, options: options, config: config, verb: "run")
        let created = try await creation.create(
            launch: Creation.Launch(wantsOutput: !detaches && (streams.output || streams.error))
        )
        if detaches { return Screen.print(created.id) }
        let attachment = Attachment(
            engine: engine,
            container: created.id,
            name: created.name,
            isRemovedAtEnd: options.remove,
            streams: Attachment.Streams(
                input: streams.input && options.interactive,
                output: streams.output,
                error: streams.error
            ),
            hasTerminal: options.tty,
            keys: keys,
            forwardsSignals: forwardsSignals
        )
        throw ExitCode(try await attachment.followFirstRun())
    }
}

extension RunOrder {
    /// - Returns: nil where only the argument parser can tell what is wrong.
    init?(_ words: UsualWords) throws {
        self.init(
            options: ContainerOptions(),
            keys: try DetachKeys(""),
            image: words.subject,
            command: words.program
        )
        for option in words.options {
            if ["detach", "d"].contains(option.name) {
                detaches = true
            } else if !options.take(option) {
                return nil
            }
        }
    }
}
