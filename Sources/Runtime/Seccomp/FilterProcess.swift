// SPDX-License-Identifier: Apache-2.0
internal import JSON
package import RuntimeSpec
package import System

/// Compiles filters in a process of its own.
///
/// For some specifications libseccomp (2.5.4) never comes to an end: two rules for one call with different actions, under
/// conditions on the same two arguments, can be enough. A process can be stopped then, a thread cannot.
package struct FilterProcess: Sendable {
    /// The one argument that a program with this module is started with to `serve`.
    package static let word = "--compile-filter"
    /// RLIMIT_CPU: at the hard limit, in seconds, the kernel kills.
    private static let cpuTime: Int32 = 0
    private static let serveSeconds: UInt64 = 10
    private static let specificationLimit = 4 << 20
    /// The kernel takes 32 KiB.
    private static let answerLimit = 1 << 20

    private let executable: String
    private let limitSeconds: Int

    /// - Parameters:
    ///   - executable: Serves when it is started with `word`; by default this process's own program.
    ///   - limitSeconds: Docker's profile takes 20 ms, with the program's start 40.
    package init(executable: String = "/proc/self/exe", limitSeconds: Int = 5) {
        self.executable = executable
        self.limitSeconds = limitSeconds
    }

    /// Blocks up to the limit.
    /// - Throws: What `SeccompProgram` throws; `.stalled` after the limit; `.ended` when it was killed.
    package func compile(_ spec: SeccompSpec) throws(SeccompError) -> SeccompProgram {
        let answer: [UInt8]?
        do throws(SystemError) { answer = try self.answer(to: spec) } catch { throw .system(error) }
        guard let answer else { throw .stalled(seconds: limitSeconds) }
        return try Self.program(from: answer)
    }

    /// - Returns: nil when there was none in time.
    private func answer(to spec: SeccompSpec) throws(SystemError) -> [UInt8]? {
        var linux = LinuxSpec()
        linux.seccomp = spec
        let input = try MemoryFile.create("specification")
        try Files.writeAll(input.raw, ContainerSpec(linux: linux).json.serialized())
        let output = try MemoryFile.create("filter")
        let child = try Spawn(
            path: executable,
            arguments: [Self.word],
            descriptors: [0: input.raw, 1: output.raw, 2: 2]
        ).start()
        // Whoever reaps all children may be faster.
        defer { try? ProcessHandle.reap(child.process.raw) }
        guard try Self.ends(child.process.raw, withinSeconds: limitSeconds) else {
            try? ProcessHandle.signal(child.process.raw, .kill)
            _ = try? Self.ends(child.process.raw, withinSeconds: 2)
            return nil
        }
        return try Self.contents(of: output.raw, limit: Self.answerLimit)
    }

    private static func ends(_ process: Int32, withinSeconds seconds: Int) throws(SystemError) -> Bool {
        let deadline = Clock.bootNanos + Int64(seconds) * 1_000_000_000
        var entries = [Poll.Entry(process)]
        repeat {
            try Poll.wait(&entries, deadlineNanos: deadline)
        } while entries[0].found.isEmpty && Clock.bootNanos < deadline
        return !entries[0].found.isEmpty
    }

    /// The other side: compiles what lies in file 0, and writes what came of it to file 1.
    /// - Throws: When that cannot be read, or written.
    package static func serve() throws(SystemError) {
        // Nobody stops it when the one that waits was killed.
        try ResourceLimits.set(cpuTime, soft: serveSeconds, hard: serveSeconds)
        let text = try contents(of: 0, limit: specificationLimit)
        let answer: [UInt8]
        do throws(SeccompError) {
            guard let spec = (try? ContainerSpec(parsing: text))?.linux.seccomp else {
                throw .library(step: "specification", code: 22)
            }
            answer = try Array("program\n".utf8) + SeccompProgram(compiling: spec).bytes
        } catch {
            answer = Array(line(of: error).utf8)
        }
        try Files.writeAll(1, answer)
    }

    /// From its beginning, wherever its offset is.
    private static func contents(of file: Int32, limit: Int) throws(SystemError) -> [UInt8] {
        try Files.contents(of: "/proc/self/fd/\(file)", limit: limit)
    }

    // MARK: - What it answers

    private static func line(of error: SeccompError) -> String {
        switch error {
        case .library(let step, let code): "library \(code) \(step)\n"
        case .tooLarge(let instructions): "large \(instructions)\n"
        case .stalled, .ended, .system: "\n"
        }
    }

    private static func program(from answer: [UInt8]) throws(SeccompError) -> SeccompProgram {
        guard let end = answer.firstIndex(of: UInt8(ascii: "\n")) else { throw .ended }
        let words = String(decoding: answer[..<end], as: UTF8.self)
            .split(separator: " ", maxSplits: 2).map(String.init)
        switch (words.first, words.dropFirst().first.flatMap { Int32($0) }) {
        case ("program", _): return SeccompProgram(bytes: Array(answer[(end + 1)...]))
        case ("library", let code?): throw .library(step: words.count > 2 ? words[2] : "", code: code)
        case ("large", let instructions?): throw .tooLarge(instructions: Int(instructions))
        default: throw .ended
        }
    }
}
