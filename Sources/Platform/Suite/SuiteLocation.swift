// SPDX-License-Identifier: Apache-2.0
package import System

/// Where one suite of Petrel daemons keeps its things: ROOT for what outlives a boot, RUN for what does not.
///
/// A pure value of absolute paths; `prepare()` makes what they name.
package struct SuiteLocation: Hashable, Sendable {
    package static let defaultRoot = "/var/lib/petrel"
    package static let defaultRun = "/run/petrel"

    package let root: String
    package let run: String

    /// Flag, else environment (`PETREL_ROOT`, `PETREL_RUN`), else default. With a root of its own and no RUN
    /// given, RUN is `ROOT/run`, so that two suites never share one by oversight. Relative paths start at the
    /// current directory.
    package init(root: String? = nil, run: String? = nil) throws(SystemError) {
        let root = root ?? SystemEnvironment.value(of: "PETREL_ROOT")
        let run = run ?? SystemEnvironment.value(of: "PETREL_RUN")
        let absoluteRoot = try Self.absolute(root ?? Self.defaultRoot)
        self.root = absoluteRoot
        let ownRun = absoluteRoot == Self.defaultRoot ? Self.defaultRun : absoluteRoot + "/run"
        self.run = try Self.absolute(run ?? ownRun)
    }

    package var isDefault: Bool { root == Self.defaultRoot }

    /// `RUN/<daemon>.sock`: "image-store", "supervisor", "engine", "init".
    package func socket(of daemon: String) -> String { "\(run)/\(daemon).sock" }

    /// `ROOT/<daemon>`: the daemon's own state.
    package func directory(of daemon: String) -> String { "\(root)/\(daemon)" }

    /// `ROOT/log/<daemon>.log`.
    package func log(of daemon: String) -> String { "\(root)/log/\(daemon).log" }

    /// `RUN/containers/<id>`: the keeper's sockets.
    package func runDirectory(ofContainer id: String) -> String { "\(run)/containers/\(id)" }

    /// `ROOT/suite-id`.
    package var suiteIDFile: String { root + "/suite-id" }

    /// Where a daemon listens to `sd_notify` messages of those it started: `RUN/notify.sock`.
    package var notifySocket: String { run + "/notify.sock" }

    /// Makes ROOT, RUN, the suite id and the reserve, and empties a RUN of an earlier boot. Every daemon
    /// calls it first; repeating it is harmless, also by several at a time.
    /// - Returns: Whether RUN was of an earlier boot.
    @discardableResult
    package func prepare() throws(SuiteError) -> Bool {
        do throws(SystemError) {
            try Files.makeDirectories(Files.parentPath(of: root))
            try makeDirectory(root, mode: 0o711)
            try makeDirectory(root + "/locks", mode: 0o700)
            try makeDirectory(root + "/log", mode: 0o700)
            try Files.makeDirectories(run, mode: 0o755)
            let gate = try Files.open(root + "/locks/prepare.lock", [.readWrite, .create], mode: 0o600)
            try FileLocks.lock(gate.raw)
            try makeSuiteID()
            let isStale = try emptyStaleRun()
            reserve.keep()
            return isStale
        } catch {
            throw .system(error)
        }
    }

    /// 8 hexadecimal digits; empty for the default root. Part of the name of everything outside ROOT and RUN.
    /// - Throws: `.system` (`ENOENT`) before the first `prepare()`.
    package func suiteID() throws(SuiteError) -> String {
        let text: String
        do throws(SystemError) { text = try Files.text(of: suiteIDFile) } catch { throw .system(error) }
        let digits = Set("0123456789abcdef")
        guard text.isEmpty || (text.utf8.count == 8 && text.allSatisfy(digits.contains)) else {
            throw .damagedSuiteID(path: suiteIDFile)
        }
        return text
    }

    /// `petrel`, or `petrel-<suite id>`: the name for cgroups, slices and the like.
    package func suiteName() throws(SuiteError) -> String {
        let id = try suiteID()
        return id.isEmpty ? "petrel" : "petrel-" + id
    }

    private func makeDirectory(_ path: String, mode: UInt32) throws(SystemError) {
        if !Files.exists(path) { try Files.makeDirectories(path, mode: mode) }
    }

    private func makeSuiteID() throws(SystemError) {
        guard !Files.exists(suiteIDFile) else { return }
        let text = isDefault ? "" : try SystemEnvironment.randomHexadecimal(bytes: 4)
        try Files.replace(suiteIDFile, with: Array(text.utf8), mode: 0o644)
    }

    /// Whatever RUN holds from another boot is history: sockets nobody listens on, records of processes long
    /// gone.
    private func emptyStaleRun() throws(SystemError) -> Bool {
        let file = run + "/boot-id"
        let boot = try Boot.id()
        let recorded = try? Files.text(of: file)
        if recorded == boot { return false }
        if recorded != nil {
            for name in try Files.names(in: run) where name != "boot-id" {
                try Files.removeTree("\(run)/\(name)")
            }
        }
        // Last, so that a start that dies on the way does it again.
        try Files.replace(file, with: Array(boot.utf8), mode: 0o644)
        return recorded != nil
    }

    private static func absolute(_ path: String) throws(SystemError) -> String {
        let full = path.hasPrefix("/") ? path : try SystemEnvironment.workingDirectory() + "/" + path
        var parts: [Substring] = []
        for part in full.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        // Neither `joined` nor the sum of a `String` and a `Substring`: generic types that are new to the runtime cost a start
        // of the command line 50 µs each.
        return parts.isEmpty ? "/" : parts.reduce(into: "") { $0 += "/" + String($1) }
    }
}
