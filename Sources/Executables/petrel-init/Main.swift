// SPDX-License-Identifier: Apache-2.0
import InitCore
import Suite
import System

/// petrel-init: options, wiring, exit code. Synchronous, one thread.
@main
struct Main {
    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        if arguments.contains("--help") || arguments.contains("-h") { return print(help) }
        if arguments.contains("--version") { return print("petrel-init \(Release.version)") }
        do {
            let flags = try Flags(Array(arguments))
            let location = try SuiteLocation(root: flags.root, run: flags.run)
            let options = Init.Options(
                location: location,
                executables: try flags.executables ?? Files.parentPath(of: Files.link(at: "/proc/self/exe")),
                faultPoints: FaultPoints(directory: flags.faultPoints),
                environment: SystemEnvironment.all
            )
            // For the daemons, too. Where it cannot be had, everything is only slower beside busy containers.
            try? Scheduling.preferShortTurns()
            try Init(options).run()
        } catch {
            try? Files.writeAll(2, Array("petrel-init: \(error)\n".utf8))
            // 2: not understood; 1: could not do it.
            CurrentProcess.exit(error is Flags.Misuse ? 2 : 1)
        }
    }

    private static let help = """
        Start and look after the daemons of a Petrel suite, in the foreground.

        USAGE: petrel-init [--root DIR] [--run DIR] [--bin DIR] [--fault-points DIR]

          --root DIR          State that outlives a reboot (PETREL_ROOT; default /var/lib/petrel)
          --run DIR           Sockets and other state of this boot (PETREL_RUN; default /run/petrel)
          --bin DIR           Folder of the daemons' executables (default: this program's)
          --fault-points DIR  For tests: die where a file in DIR says so
          --version           Print the release
          -h, --help          Print this text

        SIGTERM stops the daemons and ends; containers go on running.

        EXAMPLE: petrel-init --root /srv/petrel --run /run/petrel-srv
        (usually started by: petrel system start)
        """
}

/// The command line's options.
private struct Flags {
    struct Misuse: Error, CustomStringConvertible { let description: String }

    var root: String?
    var run: String?
    var executables: String?
    var faultPoints: String?

    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            let halves = argument.split(separator: "=", maxSplits: 1).map(String.init)
            let name = halves.first ?? ""
            guard ["--root", "--run", "--bin", "--fault-points"].contains(name) else {
                throw Misuse(description: "unknown option \(argument) (see petrel-init --help)")
            }
            guard let value = halves.count == 2 ? halves[1] : rest.popFirst(), !value.isEmpty else {
                throw Misuse(description: "\(name) needs a value")
            }
            switch name {
            case "--root": root = value
            case "--run": run = value
            case "--bin": executables = value
            default: faultPoints = value
            }
        }
    }
}
