// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// A program to start with posix_spawn(3), which is safe in a process with many threads.
package struct Spawn: Sendable {
    /// A child just started; it stays a zombie after its end until somebody waits for it.
    package struct Child: ~Copyable, Sendable {
        package let pid: Int32
        /// Close-on-exec; readable once the child has ended.
        package let process: Descriptor
    }

    /// Absolute path of the executable.
    package var path: String
    /// What the program is called in its arguments; nil: the last part of `path`.
    package var name: String?
    /// Without the program's name, which is added.
    package var arguments: [String]
    /// `NAME=value` lines; nil: this process's own environment.
    package var environment: [String]?
    /// The child's descriptors: its number → a number here. All others are closed, also those that are not
    /// close-on-exec; 0, 1 and 2 are /dev/null when not given.
    package var descriptors: [Int32: Int32]
    /// Whether it leads a session of its own.
    package var newSession: Bool
    /// Whether it leads a process group of its own in this process's session.
    package var newProcessGroup = false
    /// A terminal, by its number in the child, whose foreground its process group becomes.
    package var foregroundOf: Int32?

    package init(
        path: String,
        name: String? = nil,
        arguments: [String] = [],
        environment: [String]? = nil,
        descriptors: [Int32: Int32] = [:],
        newSession: Bool = false
    ) {
        self.path = path
        self.name = name
        self.arguments = arguments
        self.environment = environment
        self.descriptors = descriptors
        self.newSession = newSession
    }

    /// Starts it, with all signals at their defaults and none blocked.
    ///
    /// Returns when the program has been executed.
    /// - Throws: what execve said (`ENOENT`, `EACCES`, …), or that the kernel has no room for a process.
    package func start() throws(SystemError) -> Child {
        var actions = posix_spawn_file_actions_t()
        guard posix_spawn_file_actions_init(&actions) == 0 else {
            throw SystemError("posix_spawn", code: ENOMEM)
        }
        defer { posix_spawn_file_actions_destroy(&actions) }
        // Copies above every target number, so that no dup2 can destroy the source of a later one.
        let targets = descriptors.keys.sorted()
        let floor = (targets.last ?? 2) + 1
        var copies: [Int32] = []
        defer { for copy in copies { _ = Glibc.close(copy) } }
        for target in targets {
            let copy = petrel_fcntl(descriptors[target] ?? -1, F_DUPFD_CLOEXEC, Int(max(floor, 3)))
            guard copy >= 0 else { throw SystemError("fcntl(F_DUPFD_CLOEXEC)", path: path, code: errno) }
            copies.append(copy)
            posix_spawn_file_actions_adddup2(&actions, copy, target)
        }
        for standard: Int32 in 0...2 where descriptors[standard] == nil {
            posix_spawn_file_actions_addopen(&actions, standard, "/dev/null", O_RDWR, 0)
        }
        petrel_spawn_closefrom(&actions, max(floor, 3))
        if let foregroundOf { petrel_spawn_foreground(&actions, foregroundOf) }
        var attributes = posix_spawnattr_t()
        guard posix_spawnattr_init(&attributes) == 0 else { throw SystemError("posix_spawn", code: ENOMEM) }
        defer { posix_spawnattr_destroy(&attributes) }
        prepare(&attributes)
        return try launch(&actions, &attributes)
    }

    private func prepare(_ attributes: inout posix_spawnattr_t) {
        var all = sigset_t()
        sigfillset(&all)
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &none)
        var flags = Int32(POSIX_SPAWN_SETSIGDEF) | Int32(POSIX_SPAWN_SETSIGMASK)
        if newSession { flags |= 0x80 }  // POSIX_SPAWN_SETSID
        if newProcessGroup { flags |= 0x02 }  // POSIX_SPAWN_SETPGROUP, to a new one
        posix_spawnattr_setflags(&attributes, Int16(flags))
    }

    private func launch(
        _ actions: inout posix_spawn_file_actions_t,
        _ attributes: inout posix_spawnattr_t
    ) throws(SystemError) -> Child {
        var pid: pid_t = 0
        let name = name ?? String(path.split(separator: "/").last ?? "")
        let code = CStrings.with([name] + arguments) { arguments in
            guard let environment else {
                return posix_spawn(&pid, path, &actions, &attributes, arguments, petrel_environment())
            }
            return CStrings.with(environment) { environment in
                posix_spawn(&pid, path, &actions, &attributes, arguments, environment)
            }
        }
        guard code == 0 else { throw SystemError("posix_spawn", path: path, code: code) }
        // Its own unreaped child cannot lose its number, so this names the right process.
        let raw = petrel_syscall(434, Int(pid), 0, 0, 0, 0, 0)
        guard raw >= 0 else { throw SystemError("pidfd_open", path: path, code: errno) }
        return Child(pid: pid, process: Descriptor(adopting: Int32(raw)))
    }
}

/// Null-terminated arrays of C strings, as execve and its kin take them.
package enum CStrings {
    /// Lends the array to `body`; it is freed afterwards.
    package static func with<Result>(
        _ strings: [String],
        _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        let array = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: strings.count + 1)
        for (index, string) in strings.enumerated() { array[index] = strdup(string) }
        array[strings.count] = nil
        defer {
            for index in 0..<strings.count { free(array[index]) }
            array.deallocate()
        }
        return body(array)
    }
}

extension String {
    /// The text before the first zero in a C string's array.
    init(terminated characters: [CChar]) {
        self.init(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
