// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The daemons, by the names that `petrel system status` uses.
package enum Daemon: String, CaseIterable, Sendable {
    case engine
    case supervisor
    case imageStore = "image-store"
}

/// Where the executables under test are: PETREL_BIN, or `.build/release` of this package.
package let binaries: String = {
    let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let package = here.deletingLastPathComponent().deletingLastPathComponent().path
    guard let given = ProcessInfo.processInfo.environment["PETREL_BIN"] else {
        return package + "/.build/release"
    }
    return given.hasPrefix("/") ? given : package + "/" + given
}()

/// The package's own directory.
package let repository: String = {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path
}()

/// The real daemons, in a root and a run directory of their own. Made by `withSuite`, which also ends it and proves
/// that nothing is left.
package final class PetrelSuite {
    package let directory: String
    package let root: String
    package let run: String
    /// Where fault points are armed.
    package let faults: String
    /// For the daemons, beside what the tests themselves have.
    var moreEnvironment: [String: String] = [:]
    private var initProcess: ChildProcess?

    package init(directory: String, root: String? = nil) throws {
        self.directory = directory
        self.root = root ?? directory + "/root"
        run = directory + "/run"
        faults = directory + "/faults"
        for path in [self.root, run, faults] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
    }

    // MARK: Commands

    /// Runs the command line to its end.
    @discardableResult
    package func petrel(
        _ arguments: String...,
        stdin: ChildProcess.Stdin = .none,
        within limit: Double = 60
    ) throws -> Outcome {
        try petrel(arguments, stdin: stdin, within: limit)
    }

    @discardableResult
    package func petrel(
        _ arguments: [String],
        stdin: ChildProcess.Stdin = .none,
        within limit: Double = 60
    ) throws -> Outcome {
        try background(arguments, stdin: stdin).finish(within: limit)
    }

    /// Runs a command that must succeed, and returns its output without white space at the ends.
    @discardableResult
    package func succeed(_ arguments: String..., within limit: Double = 60) throws -> String {
        let outcome = try petrel(arguments, within: limit)
        guard outcome.status == 0 else { throw CommandFailed(outcome: outcome) }
        return outcome.text
    }

    /// Starts a command and returns at once.
    package func background(
        _ arguments: [String],
        stdin: ChildProcess.Stdin = .none,
        stdout: ChildProcess.Stdout = .captured
    ) throws -> ChildProcess {
        try ChildProcess(
            binaries + "/petrel",
            ["--root", root, "--run", run] + arguments,
            stdin: stdin,
            stdout: stdout,
            environment: environment
        )
    }

    /// The object that `inspect` shows for a container or image.
    package func inspect(_ name: String) throws -> Document {
        try Document(succeed("inspect", name))[0]
    }

    var environment: [String: String] {
        var environment = ProcessInfo.processInfo.environment
        for name in environment.keys where name.hasPrefix("PETREL_") { environment[name] = nil }
        return environment.merging(moreEnvironment) { $1 }
    }

    // MARK: Life of the daemons

    /// Starts petrel-init, unless it runs, and by it the daemons; waits until all are healthy.
    package func start() throws {
        if initPID != nil {
            try succeed("system", "start")
        } else {
            let places = ["--root", root, "--run", run, "--fault-points", faults]
            initProcess = try ChildProcess(binaries + "/petrel-init", places, environment: environment)
        }
        try waitUntilHealthy()
        noteSuiteID()
    }

    package func waitUntilHealthy(within limit: Double = 30) throws {
        try eventually("healthy daemons in \(root)", within: limit, every: 0.05) {
            let status = try status()
            let healthy = try Daemon.allCases.filter { daemon in
                let row = try row(daemon, in: status)
                return row["pid"].int.map { $0 > 0 } == true && row["health"].string == "healthy"
            }
            return healthy.count == Daemon.allCases.count
        }
    }

    package func status() throws -> Document {
        try Document(succeed("system", "status", "--format", "json", within: 15))
    }

    private func row(_ daemon: Daemon, in status: Document) throws -> Document {
        guard let row = status.array?.first(where: { $0["name"].string == daemon.rawValue }) else {
            throw CommandOutputUnreadable(description: "no \(daemon.rawValue) in \(status)")
        }
        return row
    }

    /// The daemon's process; waits for one where it is just being started again.
    package func pid(of daemon: Daemon) throws -> Int32 {
        try eventually("a process of \(daemon.rawValue)") {
            guard let pid = try row(daemon, in: status())["pid"].int, pid > 0 else { return nil }
            return Int32(pid)
        }
    }

    package var initPID: Int32? {
        HostProcess.all(mentioning: run).first { $0.arguments[0].hasSuffix("petrel-init") }?.pid
    }

    /// Sends the signal, and after SIGKILL waits until that process is gone.
    @discardableResult
    package func kill(_ daemon: Daemon, signal: Int32 = SIGKILL) throws -> Int32 {
        let pid = try pid(of: daemon)
        try kill(pid, signal: signal)
        return pid
    }

    package func kill(_ pid: Int32, signal: Int32 = SIGKILL) throws {
        Foundation.kill(pid, signal)
        if signal == SIGKILL { try eventually("end of process \(pid)") { !HostProcess.isAlive(pid) } }
    }

    /// Waits until another process than `old` is the daemon, and all are healthy.
    package func waitForSuccessor(of old: Int32, _ daemon: Daemon) throws {
        try eventually("a new process of \(daemon.rawValue)") { try pid(of: daemon) != old }
        try waitUntilHealthy()
    }

    // MARK: Fault points

    /// The first process that reaches the point kills itself there.
    package func arm(_ point: String) throws {
        try Data().write(to: URL(fileURLWithPath: faults + "/" + point))
    }

    /// Whether nobody has reached it yet.
    package func isArmed(_ point: String) -> Bool {
        FileManager.default.fileExists(atPath: faults + "/" + point)
    }

    package func disarmAll() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: faults)) ?? [] {
            unlink(faults + "/" + name)
        }
    }

    // MARK: Containers

    package func id(of container: String) throws -> String {
        guard let id = try inspect(container)["Id"].string else {
            throw CommandOutputUnreadable(description: "inspect \(container) has no Id")
        }
        return id
    }

    /// The process of a container's keeper, by its command line; nil when there is none.
    package func keeper(of id: String) -> Int32? {
        HostProcess.all(mentioning: id).first { process in
            process.arguments[0].hasSuffix("petrel-keeper")
                && process.arguments.contains { $0.hasPrefix(root) }
        }?.pid
    }

    /// Kills the keeper and waits for the next one.
    package func replaceKeeper(of id: String) throws {
        let old = try eventually("keeper of \(id)") { keeper(of: id) }
        try kill(old)
        try eventually("next keeper of \(id)") { keeper(of: id).map { $0 != old } == true }
    }

    /// All that is known about a suite's daemons, for the text of a failure.
    package var logs: String {
        let folder = root + "/log"
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
        return names.map { name in
            let text = (try? String(contentsOfFile: folder + "/" + name, encoding: .utf8)) ?? ""
            return "--- \(name)\n" + text.split(separator: "\n").suffix(15).joined(separator: "\n")
        }.joined(separator: "\n")
    }
}
