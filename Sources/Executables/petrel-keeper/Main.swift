// SPDX-License-Identifier: Apache-2.0
import Copier
import Keeper
import System

/// `petrel-keeper --container DIR --run DIR [--adopt | --wait] [--open-files N] [--fault-points DIR]`, started by the supervisor
/// with the first connection to it as descriptor 3. With `--wait` it is what keepers are copied from (see KeeperTemplate), whose
/// directories' last parts are in the first message of their connection. `petrel-keeper --archive …` copies files of one
/// container instead, and ends (see Copier).
@main
struct Main {
    static let release = "0.1.0"

    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.first == "--archive" {
            guard let task = CopyTask(Array(arguments.dropFirst())) else {
                Self.end("usage: " + CopyTask.usage, code: 2)
            }
            CurrentProcess.exit(Copier.run(task))
        }
        do {
            guard let parsed = options(arguments) else {
                Self.end(
                    "usage: petrel-keeper --container DIR --run DIR [--adopt | --wait] [--open-files N] "
                        + "[--fault-points DIR]",
                    code: 2
                )
            }
            var options = parsed.options
            let waits = parsed.waits
            try prepare(waits: waits)
            var connection = inheritedConnection()
            if waits {
                connection = try KeeperTemplate.serve(connection.take(), &options)
                connection = try options.waitForContainer(at: connection.take())
                // Nobody will come any more.
                if connection == nil { CurrentProcess.exit(0) }
            }
            let keeper = try Keeper(options, supervisor: connection)
            try keeper.run()
        } catch {
            Self.end("petrel-keeper: \(error)", code: 1)
        }
    }

    private static func options(_ arguments: [String]) -> (options: Keeper.Options, waits: Bool)? {
        var values: [String: String] = [:]
        var (adopts, waits) = (false, false)
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--adopt": adopts = true
            case "--wait": waits = true
            case "--open-files":
                guard let value = rest.popFirst(), UInt64(value) != nil else { return nil }
                values[argument] = value
            case "--container", "--run", "--fault-points":
                guard let value = rest.popFirst(), value.hasPrefix("/") else { return nil }
                values[argument] = value
            default: return nil
            }
        }
        guard let directory = values["--container"], let run = values["--run"], !(adopts && waits) else {
            return nil
        }
        let options = Keeper.Options(
            directory: directory,
            runDirectory: run,
            adopts: adopts,
            openFiles: values["--open-files"].flatMap { UInt64($0) },
            release: release,
            faults: FaultPoints(directory: values["--fault-points"])
        )
        return (options, waits)
    }

    private static func prepare(waits: Bool) throws(SystemError) {
        SystemEnvironment.leadSession()
        // It was executed by a descriptor, whose number would be its name.
        try Threads.setName(waits ? "petrel-waiter" : "petrel-keeper")
        // What it has is that of the supervisor's thread which started it, and its containers would inherit it. Where the
        // right one cannot be had, they have a little more or less of a busy processor than others.
        try? Scheduling.takeNiceOfParent()
        // Where it cannot be had, everything is only slower beside busy containers.
        try? Scheduling.preferShortTurns()
        try SystemEnvironment.changeDirectory(to: "/")
        Threads.setFileCreationMask(0o022)
        // A vanished client must not end the keeper; a program that it starts has the default again.
        for signal in [Signal.pipe, .hangUp, .interrupt, .terminate] { signal.disregard() }
        // A process of the container that is on its way to its program must show nothing of the keeper.
        try Credentials.hideFromTracing()
    }

    private static func inheritedConnection() -> Descriptor? {
        guard SystemEnvironment.isOpen(3) else { return nil }
        SystemEnvironment.closeOnExec(3)
        return Descriptor(adopting: 3)
    }

    private static func end(_ line: String, code: Int32) -> Never {
        try? Files.writeAll(2, Array((line + "\n").utf8))
        CurrentProcess.exit(code)
    }
}
