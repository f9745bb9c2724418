// SPDX-License-Identifier: Apache-2.0
internal import RuntimeSpec
internal import System

/// The last part of every child's way, in the container: limits, user, capabilities, filter, gate, program.
struct ProcessStarter {
    let plan: ProcessPlan
    let status: Int32
    let gate: Int32
    /// Where the program's process is born, if this one only prepares it.
    let birthplace: Birthplace?
    /// Whether a working directory that is missing is made: only a container's first process asks for that.
    let makesDirectory: Bool

    var process: ProcessSpec { plan.process }

    /// Ends by executing the program, or throws.
    func run() throws(StepFailure) -> Never {
        try step("device") { () throws(SystemError) in
            do throws(SystemError) { try NullDevice.reopenStreams() } catch {
                throw SystemError(error.operation, path: "/dev/null", code: error.code)
            }
        }
        let groups = try step("group", findGroups)
        let identity = try step("user") { () throws(SystemError) in try findUser(groups) }
        try step("cwd", enterDirectory)
        try step("user") { () throws(SystemError) in try lendStreams(to: identity) }
        // After what opens files by the handful, before the capability that raises limits is gone.
        try step("rlimit", setLimits)
        // The last that needs the right to administrate: what is born has no more than the container.
        try step("namespace") { () throws(SystemError) in try birthplace?.enter(keeping: [status, gate]) }
        let available = try step("capability", dropBounding)
        try step("user") { () throws(SystemError) in try become(identity) }
        let environment = environment(identity)
        // From here nothing but the program's own directory, file and rights is touched.
        CurrentProcess.setFileCreationMask(process.user.umask ?? 0o022)
        let program = try finish(available, environment)
        try step("gate") { () throws(SystemError) in try Self.wait(at: gate) }
        try step("execve") { () throws(SystemError) in
            try Files.writeAll(status, StartReport.executed.encoded())
            try CurrentProcess.execute(program, process.args, environment)
        }
        throw StepFailure(step: "execve", path: program, code: 22)
    }

    func step<Result>(
        _ name: String,
        _ body: () throws(SystemError) -> Result
    ) throws(StepFailure) -> Result {
        do throws(SystemError) { return try body() } catch { throw StepFailure(name, error) }
    }

    // MARK: - Limits and user

    private func setLimits() throws(SystemError) {
        for limit in plan.limits {
            guard birthplace != nil, limit.isOfProcesses else {
                try set(limit)
                continue
            }
            // Held against the clone of a process for that user, too: the program's own limit is set after it.
            let most = max(limit.hard, try ResourceLimits.value(limit.number).hard)
            try set(.init(number: limit.number, soft: most, hard: most))
        }
    }

    private func set(_ limit: ProcessPlan.Limit) throws(SystemError) {
        do throws(SystemError) {
            try ResourceLimits.set(limit.number, soft: limit.soft, hard: limit.hard)
        } catch {
            // Raising the hard limit needs CAP_SYS_RESOURCE, which root on this machine may lack: what is possible.
            guard error.code == 1 else { throw error }
            let hard = min(limit.hard, try ResourceLimits.value(limit.number).hard)
            try ResourceLimits.set(limit.number, soft: min(limit.soft, hard), hard: hard)
        }
    }

    /// From here on, the process is the program's own.
    func bear() throws(StepFailure) {
        guard let birthplace else { return }
        try step("clone", birthplace.bear)
        try step("rlimit") { () throws(SystemError) in
            if let limit = plan.limits.first(where: \.isOfProcesses) { try set(limit) }
        }
    }

    /// Of the groups that are given by name.
    private func findGroups() throws(SystemError) -> [UInt32] {
        let names = process.user.additionalGroups
        guard !names.isEmpty else { return [] }
        let root = try Files.open("/", [.path, .directory])
        let database = try UserDatabase(beneath: root.raw)
        return try names.map { name throws(SystemError) in try database.group(called: name) }
    }

    func findUser(_ named: [UInt32]) throws(SystemError) -> UserDatabase.Identity {
        let root = try Files.open("/", [.path, .directory])
        let user = process.user
        let added = user.additionalGids + named
        guard user.username.isEmpty else {
            let found = try UserDatabase(beneath: root.raw).resolve(user.username)
            return .init(uid: found.uid, gid: found.gid, groups: found.groups + added, home: found.home)
        }
        // Only for HOME: an image with an unreadable database still runs.
        let hasHome = process.env.contains { $0.hasPrefix("HOME=") }
        let home = hasHome ? "/" : (try? UserDatabase(beneath: root.raw).home(of: user.uid)) ?? "/"
        return .init(uid: user.uid, gid: user.gid, groups: added, home: home)
    }

    private func environment(_ identity: UserDatabase.Identity) -> [String] {
        process.env.contains { $0.hasPrefix("HOME=") } ? process.env : process.env + ["HOME=" + identity.home]
    }

    /// Enters the working directory now, if root can; one on a network file system may open for the user only.
    private func enterDirectory() throws(SystemError) {
        let directory = try workingDirectory()
        do throws(SystemError) {
            try CurrentProcess.enter(directory.raw)
        } catch {
            guard error.code == 13 || error.code == 1 else {
                throw SystemError("chdir", path: process.cwd, code: error.code)
            }
        }
    }

    private func workingDirectory() throws(SystemError) -> Descriptor {
        let root = try Files.open("/", [.path, .directory])
        let container = ContainerRoot(directory: root.raw)
        guard makesDirectory else { return try container.place(process.cwd) }
        return try container.ensure(process.cwd, .directory)
    }

    /// The user may open /dev/stdout and the like again. Streams that are no pipe, socket or terminal stay as they are.
    private func lendStreams(to identity: UserDatabase.Identity) throws(SystemError) {
        for number: Int32 in 0...2 {
            let status = try Files.status(ofDescriptor: number)
            let isOwn = status.kind == .fifo || status.kind == .socket || CurrentProcess.isTerminal(number)
            guard isOwn, status.user != identity.uid else { continue }
            // The keeper's own pipes and terminals; what refuses is not worth a failed start.
            try? Files.changeOwner(ofDescriptor: number, user: identity.uid, group: status.group)
        }
    }

    private func become(_ identity: UserDatabase.Identity) throws(SystemError) {
        // Otherwise the filter could not be installed, nor capabilities chosen, once the user is another.
        try Credentials.keepCapabilities()
        try Credentials.setGroups(identity.groups)
        try Credentials.setGroup(identity.gid)
        try Credentials.setUser(identity.uid)
    }

    func find(_ environment: [String]) throws(StepFailure) -> String {
        try step("cwd") { () throws(SystemError) in
            // Either it is where root went, or the user goes there now; never outside, by whatever link.
            if !CurrentProcess.isInsideRoot || !isInDirectory() { try CurrentProcess.enter(process.cwd) }
            guard CurrentProcess.isInsideRoot else { throw SystemError("chdir", path: process.cwd, code: 18) }
        }
        return try step("execve") { () throws(SystemError) in
            try ProgramSearch.find(process.args[0], environment)
        }
    }

    /// Whether root could enter the directory before: otherwise the process still stands in `/`.
    private func isInDirectory() -> Bool {
        guard process.cwd != "/" else { return true }
        guard let here = try? Files.statusThroughLinks(of: "."),
            let root = try? Files.statusThroughLinks(of: "/")
        else {
            return false
        }
        return here.inode != root.inode || here.device != root.device
    }

    /// One byte opens; the end of the pipe means that nobody will.
    static func wait(at gate: Int32) throws(SystemError) {
        let bytes = try Files.readSome(gate, limit: 1)
        guard !bytes.isEmpty else { throw SystemError("read", code: 125) }
    }
}
