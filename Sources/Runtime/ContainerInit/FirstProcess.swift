// SPDX-License-Identifier: Apache-2.0
package import System

/// The first process of a container with `--init`: starts the program, passes every signal on to it, reaps whatever ends
/// in the container, and ends as the program does.
///
/// It owns one child, in a process group of its own, which is the terminal's foreground where there is a terminal. The
/// kernel ends what is left in the process namespace when this process ends.
package struct FirstProcess {
    /// The program's name as given, and its arguments.
    private let arguments: [String]

    /// - Parameter arguments: An optional `--`, then the program and its arguments.
    /// - Returns: nil without a program.
    package init?(_ arguments: [String]) {
        let rest = arguments.first == "--" ? Array(arguments.dropFirst()) : arguments
        guard let program = rest.first, !program.isEmpty else { return nil }
        self.arguments = rest
    }

    /// Runs the program to its end.
    /// - Returns: Its exit code; 128 + n when signal n ended it.
    /// - Throws: What kept it from being executed.
    package func run() throws(SystemError) -> Int32 {
        // Before anything can happen to the child. What comes meanwhile waits in the queue.
        let queue = try SignalQueue(Self.passed)
        // Where the container's process namespace is another's, orphans come here all the same.
        try Children.adoptOrphans()
        let pid = try start()
        while true {
            var entries = [Poll.Entry(queue.raw)]
            // Rightly endless: as long as the program runs.
            try Poll.wait(&entries, deadlineNanos: nil)
            while let signal = try queue.next() {
                guard signal == .childEnded else {
                    // One that has ended needs no signal: its end is next.
                    try? signal.send(to: pid)
                    continue
                }
                while let child = try Children.reapNext() {
                    if child.pid == pid { return Self.code(of: child.waitStatus) }
                }
            }
        }
    }

    private func start() throws(SystemError) -> Int32 {
        let environment = SystemEnvironment.all
        var spawn = Spawn(
            path: try ProgramPath.find(arguments[0], environment: environment),
            name: arguments[0],
            arguments: Array(arguments.dropFirst()),
            environment: environment,
            descriptors: [0: 0, 1: 1, 2: 2]
        )
        spawn.newProcessGroup = true
        if CurrentProcess.isTerminal(0) { spawn.foregroundOf = 0 }
        return try spawn.start().pid
    }

    /// From a status as wait(2) has it.
    package static func code(of waitStatus: Int32) -> Int32 {
        let signal = waitStatus & 0x7f
        return signal == 0 ? (waitStatus >> 8) & 0xff : 128 + signal
    }

    /// All but those that cannot be blocked, those that tell this process of its own faults, those of terminals for
    /// processes in the background, and the C library's own.
    private static let passed: [Signal] = {
        let own: Set<Int32> = [4, 5, 6, 7, 8, 9, 11, 19, 21, 22, 31, 32, 33]
        return (1...64).filter { !own.contains($0) }.map(Signal.init(rawValue:))
    }()
}

/// Where a program's file is.
package enum ProgramPath {
    /// A name with a slash is a path; any other is looked up in `PATH`.
    /// - Throws: `ENOENT`; `EACCES` when what was found may not be executed.
    package static func find(_ name: String, environment: [String]) throws(SystemError) -> String {
        guard !name.contains("/") else { return name }
        let path =
            environment.last { $0.hasPrefix("PATH=") }.map { String($0.dropFirst(5)) } ?? "/bin:/usr/bin"
        var code: Int32 = 2
        for directory in path.split(separator: ":", omittingEmptySubsequences: false) {
            let candidate = directory.isEmpty ? "./" + name : directory + "/" + name
            do throws(SystemError) {
                guard try Files.statusThroughLinks(of: candidate).kind == .regular else { continue }
                try Files.checkExecutable(candidate)
                return candidate
            } catch {
                if error.code == 13 { code = 13 }
            }
        }
        throw SystemError("execve", path: name, code: code)
    }
}
