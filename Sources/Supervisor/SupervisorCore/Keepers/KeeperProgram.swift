// SPDX-License-Identifier: Apache-2.0
package import Events
package import System

/// A running keeper and a connection to it.
package struct KeeperLink: Sendable {
    package let pid: Int32
    /// Readable once the keeper has ended.
    package let process: SharedDescriptor
    package let connection: KeeperConnection
}

/// How keepers are started and found.
///
/// Keepers are executed from a detached read-only mount of their file: a container's process is a keeper's clone until it
/// executes its own program, and what it can reach of it (an image whose entrypoint has the interpreter `/proc/self/exe`)
/// must not lead to a file on the host that it could write to.
package struct KeeperProgram: Sendable {
    private static let name = "petrel-keeper"
    /// As long as the name that takes its place.
    static let waiterName = "petrel-waiter"

    package let logFile: String
    package let faults: FaultPoints
    /// `ROOT/supervisor/containers`.
    let containersPath: String
    /// `RUN/containers`.
    let runContainersPath: String
    let reserve = KeeperReserve()
    let poller: Poller
    private let program: SharedDescriptor

    /// Opens the executable; keepers are started from this file even when another one takes its place later.
    /// - Parameters:
    ///   - directory: `ROOT/supervisor`.
    ///   - runDirectory: RUN.
    /// - Throws: `ENOENT`; what the kernel says to a mount of its own for the file.
    package init(
        executable: String,
        directory: String,
        runDirectory: String,
        logFile: String,
        faults: FaultPoints,
        poller: Poller
    ) throws(SystemError) {
        program = SharedDescriptor(try Mounts.readOnlyClone(ofFile: executable))
        containersPath = directory + "/containers"
        runContainersPath = runDirectory + "/containers"
        self.logFile = logFile
        self.faults = faults
        self.poller = poller
    }

    /// Whether a keeper that is started now is known to read its container's record for each run, rather than once: one of an
    /// earlier release does not.
    var readsRecordsAnew: Bool { reserve.readsRecordsAnew }

    /// A keeper for a container's directory, and a connection to it: the one in reserve, or one that is started now.
    /// - Parameter isAdopter: It takes over from one that died.
    package func spawn(for directory: ContainerDirectory, isAdopter: Bool) throws(SystemError) -> KeeperLink {
        if !isAdopter, let keeper = appoint(to: directory) { return keeper }
        let pair = try SequencedSocket.pair()
        let child = try startKeeper(Self.name, directory, isAdopter ? ["--adopt"] : [], pair.second.raw)
        let pid = child.pid
        let process = SharedDescriptor(try child.process.duplicate())
        let socket = SequencedSocket(adopting: try SystemEnvironment.duplicate(pair.first.raw))
        return KeeperLink(
            pid: pid,
            process: process,
            connection: try KeeperConnection(socket, poller: poller)
        )
    }

    func startKeeper(
        _ name: String,
        _ directory: ContainerDirectory,
        _ flags: [String],
        _ connection: Int32
    ) throws(SystemError) -> Spawn.Child {
        let log = try Files.open(logFile, [.writeOnly, .create, .append], mode: 0o600)
        var arguments = ["--container", directory.path, "--run", directory.runPath]
        arguments += ["--open-files", "\(try ResourceLimits.originalOpenFiles())"] + flags
        if let points = faults.path { arguments += ["--fault-points", points] }
        return try start(name: name, arguments, [2: log.raw, 3: connection])
    }

    /// Starts the program in a session of its own.
    func start(name: String, _ arguments: [String], _ descriptors: [Int32: Int32]) throws(SystemError)
        -> Spawn.Child
    {
        try Spawn(
            // By this process's number: in the child the descriptor is closed by then.
            path: "/proc/\(SystemEnvironment.processID)/fd/\(program.raw)",
            name: name,
            arguments: arguments,
            environment: [
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                ProgramMemory.keepingNothing,
            ],
            descriptors: descriptors,
            newSession: true
        ).start()
    }

    /// Connects to a keeper that another supervisor started.
    /// - Throws: `ESRCH` when it has ended; `ENOENT` or `ECONNREFUSED` while it does not listen.
    package func connect(to pid: Int32, of directory: ContainerDirectory) throws(SystemError) -> KeeperLink {
        let process = SharedDescriptor(try ProcessHandle.open(pid))
        let socket = try SequencedSocket.connect(to: directory.keeperSocket)
        return KeeperLink(
            pid: pid,
            process: process,
            connection: try KeeperConnection(socket, poller: poller)
        )
    }

    /// The keeper of a container: the process that holds the lock in its directory, as only one can.
    ///
    /// One that was spawned just now may not hold it yet; should another be spawned then, one of the two ends at once.
    package func holder(of directory: ContainerDirectory) -> Int32? {
        guard let file = try? Files.open(directory.keeperLockFile, .readOnly) else { return nil }
        return try? FileLocks.recordLockHolder(file.raw)
    }

    /// Processes that look like keepers of directories below `containers`: for ending those whose container is gone.
    ///
    /// A process that a keeper has cloned and that has not executed its program yet bears the keeper's arguments: it is
    /// left out.
    package static func running(below containers: String) -> [String: [Int32]] {
        var found: [String: [Int32]] = [:]
        for name in (try? Files.names(in: "/proc")) ?? [] {
            guard let pid = Int32(name), let directory = containerDirectory(ofKeeper: pid),
                directory.hasPrefix(containers + "/"), !isInNamespace(pid)
            else { continue }
            found[directory, default: []].append(pid)
        }
        return found.mapValues { pids in
            pids.filter { pid in
                guard let status = try? ProcessStatus(of: pid), status.state != "Z" else { return false }
                return !pids.contains(status.parent)
            }
        }
    }

    /// The name is looked at first: a keeper has it once it has its directory, while its arguments are changed bit by bit
    /// before; and a process on its way from a keeper's clone to its program has another one (`Cloning.name`).
    static func containerDirectory(ofKeeper pid: Int32) -> String? {
        guard (try? Files.text(of: "/proc/\(pid)/comm")) == name else { return nil }
        guard let bytes = try? Files.contents(of: "/proc/\(pid)/cmdline", limit: 64 << 10) else { return nil }
        let arguments = bytes.split(separator: 0)
        guard let program = arguments.first?.split(separator: UInt8(ascii: "/")).last,
            program.elementsEqual(name.utf8),
            let flag = arguments.firstIndex(where: { $0.elementsEqual("--container".utf8) }),
            flag + 1 < arguments.count
        else { return nil }
        return String(decoding: arguments[flag + 1], as: UTF8.self)
    }

    /// Whether the process has a number of its own in some inner process namespace (`NSpid:` lists more than
    /// one).
    private static func isInNamespace(_ pid: Int32) -> Bool {
        guard let status = try? Files.contents(of: "/proc/\(pid)/status"),
            let line = status.split(separator: UInt8(ascii: "\n")).first(where: {
                $0.starts(with: "NSpid:".utf8)
            })
        else { return false }
        // As seen from here; when Petrel itself runs in such a namespace, its own are not listed.
        return line.split(separator: UInt8(ascii: "\t")).count > 2
    }
}
