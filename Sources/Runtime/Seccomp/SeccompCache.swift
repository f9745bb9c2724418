// SPDX-License-Identifier: Apache-2.0
internal import JSON
package import RuntimeSpec
internal import Synchronization
internal import System

/// Compiled filters on disk, one for each specification.
///
/// `N.key` holds everything that the program `N.bpf` depends on, as text; a program counts once its key is there.
/// Both are written aside and renamed, readable by root alone. What does not verify is made again.
package final class SeccompCache: Sendable {
    private struct State {
        var entries: [[UInt8]: String]
        /// Most containers have the same as the one before.
        var latest: (spec: SeccompSpec, path: String)?
    }

    private let directory: String
    private let compiler: FilterProcess
    private let state: Mutex<State>

    /// - Parameter directory: Made when absent (mode 0700).
    package init(directory: String, compiler: FilterProcess) throws(SeccompError) {
        self.directory = directory
        self.compiler = compiler
        do throws(SystemError) {
            try Files.makeDirectories(directory, mode: 0o700)
            state = Mutex(State(entries: try Self.load(directory)))
        } catch {
            throw .system(error)
        }
    }

    /// The absolute path of the program for a specification, where it is there already.
    package func knownPath(for spec: SeccompSpec) -> String? {
        let latest = state.withLock { $0.latest }
        if let latest, latest.spec == spec, Self.isWhole(latest.path) { return latest.path }
        guard let known = state.withLock({ $0.entries[Self.key(of: spec)] }), Self.isWhole(known) else {
            return nil
        }
        state.withLock { $0.latest = (spec, known) }
        return known
    }

    private static func key(of spec: SeccompSpec) -> [UInt8] {
        Array("\(SeccompProgram.toolchain)\n".utf8) + spec.json.serialized()
    }

    /// The same, compiled if it is not there. Blocks for 50 ms then, and up to five seconds for one that cannot be.
    package func path(for spec: SeccompSpec) throws(SeccompError) -> String {
        if let known = knownPath(for: spec) { return known }
        let program = try compiler.compile(spec)
        let key = Self.key(of: spec)
        do throws(SystemError) {
            let path = try store(program, key)
            state.withLock { $0.entries[key] = path }
            return path
        } catch {
            throw .system(error)
        }
    }

    private static func isWhole(_ path: String) -> Bool { (try? SystemCallFilter.program(at: path)) != nil }

    private func store(_ program: SeccompProgram, _ key: [UInt8]) throws(SystemError) -> String {
        let base = "\(directory)/\(try claimNumber())"
        try Files.replace(base + ".bpf", with: program.bytes)
        try Files.replace(base + ".key", with: key)
        return base + ".bpf"
    }

    /// The first free number; two that compile the same at once make two entries, which is harmless.
    private func claimNumber() throws(SystemError) -> Int {
        var number = 1
        while true {
            do throws(SystemError) {
                try Files.open("\(directory)/\(number).bpf", [.writeOnly, .create, .exclusive], mode: 0o600)
                    .close()
                return number
            } catch {
                guard error.code == 17 else { throw error }
                number += 1
            }
        }
    }

    private static func load(_ directory: String) throws(SystemError) -> [[UInt8]: String] {
        var entries: [[UInt8]: String] = [:]
        for name in try Files.names(in: directory) where name.hasSuffix(".bpf") {
            let program = directory + "/" + name
            let key = directory + "/" + name.dropLast(4) + ".key"
            if let text = try? Files.contents(of: key), (try? SystemCallFilter.program(at: program)) != nil {
                entries[text] = program
            } else {
                try? Files.unlink(program)
                try? Files.unlink(key)
            }
        }
        return entries
    }
}
