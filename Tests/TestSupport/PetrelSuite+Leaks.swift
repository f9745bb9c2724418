// SPDX-License-Identifier: Apache-2.0
import Foundation
package import Testing

extension PetrelSuite {
    /// "petrel-1a2b3c4d": what this suite's cgroups are called. Nil before the first start.
    package var cgroupName: String? {
        guard let id = try? String(contentsOfFile: root + "/suite-id", encoding: .utf8) else { return nil }
        return "petrel-" + id.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Tells `scripts/test` which cgroups to look for should this process be ended by force.
    func noteSuiteID() {
        guard let name = cgroupName else { return }
        let path = TestRoot.path + "/cgroups"
        let file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        guard file >= 0 else { return }
        _ = Array((name + "\n").utf8).withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        close(file)
    }

    /// What is left of containers when there is none: empty is right.
    package func remainsOfContainers() -> [String] {
        var remains: [String] = []
        let folders = [
            root + "/supervisor/containers", run + "/containers", root + "/engine/containers",
            root + "/image-store/snapshots", root + "/image-store/ingest",
        ]
        for folder in folders {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            remains += names.map { "directory \(folder)/\($0)" }
        }
        if let name = cgroupName {
            remains += HostProcess.cgroups(named: name).filter { !$0.hasSuffix(name) }.map { "cgroup \($0)" }
        }
        remains += HostProcess.all(mentioning: root)
            .filter { $0.arguments[0].hasSuffix("petrel-keeper") }
            .map { "process \($0.pid): \($0.arguments.joined(separator: " "))" }
        remains += HostProcess.mounts(below: directory).filter { $0 != root }.map { "mount \($0)" }
        return remains
    }

    /// Expects that nothing of any container is left. Background clean-up may take a moment.
    package func expectNoRemains(
        within limit: Double = 10,
        _ comment: String = "",
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        try? eventually("no remains", within: limit, every: 0.05) { remainsOfContainers().isEmpty }
        let remains = remainsOfContainers()
        #expect(remains.isEmpty, "\(comment) left \(remains)\n\(logs)", sourceLocation: sourceLocation)
    }

    /// Removes all containers, whatever they do.
    package func removeContainers() throws {
        let names = try succeed("ps", "-a", "-q", "--no-trunc").split(separator: "\n").map(String.init)
        guard !names.isEmpty else { return }
        let outcome = try petrel(["rm", "-f"] + names, within: 120)
        guard outcome.status == 0 else { throw CommandFailed(outcome: outcome) }
    }

    /// Ends the suite as a user would, and reports what is left.
    func end(sourceLocation: SourceLocation) {
        disarmAll()
        do {
            if initPID == nil { try start() }
            try waitUntilHealthy()
            try removeContainers()
            expectNoRemains("the removed containers", sourceLocation: sourceLocation)
            try succeed("system", "stop", "--containers", within: 60)
        } catch {
            Issue.record("ending the suite: \(error)\n\(logs)", sourceLocation: sourceLocation)
        }
        let processes = {
            HostProcess.all(mentioning: self.directory).filter { !$0.arguments[0].hasSuffix("/rm") }
        }
        try? eventually("no process", within: 10) { processes().isEmpty }
        for process in processes() {
            Issue.record("process left: \(process.pid) \(process.arguments)", sourceLocation: sourceLocation)
        }
        for mount in HostProcess.mounts(below: directory) where mount != root {
            Issue.record("mount left: \(mount)", sourceLocation: sourceLocation)
        }
        destroy()
    }

    /// Removes by force whatever there is, silently.
    package func destroy() {
        // Init first: it would start the others again.
        if let pid = initPID { Foundation.kill(pid, SIGKILL) }
        let name = cgroupName
        for _ in 0..<50 {
            let processes = HostProcess.all(mentioning: directory)
            let inGroups = name.map { HostProcess.cgroups(named: $0) } ?? []
            for process in processes { Foundation.kill(process.pid, SIGKILL) }
            for group in inGroups {
                let members = (try? String(contentsOfFile: group + "/cgroup.procs", encoding: .utf8)) ?? ""
                for member in members.split(separator: "\n").compactMap({ Int32($0) }) {
                    Foundation.kill(member, SIGKILL)
                }
                rmdir(group)
            }
            if processes.isEmpty, name.map({ HostProcess.cgroups(named: $0).isEmpty }) != false { break }
            pass(seconds: 0.05)
        }
        for mount in HostProcess.mounts(below: directory).reversed() where mount != root {
            umount2(mount, Int32(MNT_DETACH))
        }
        removeTree(directory)
    }
}

/// Starts the daemons in a root of their own, lends them to `body`, ends them, and reports whatever they leave behind.
///
/// - Parameter image: Load `busybox:latest` first.
/// - Parameter environment: More for the daemons and the command line.
/// - Parameter root: Where the root is to be, such as a small disk; a directory of its own otherwise.
package func withSuite<Result>(
    image: Bool = true,
    root: String? = nil,
    environment: [String: String] = [:],
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: (PetrelSuite) throws -> Result
) throws -> Result {
    let suite = try PetrelSuite(directory: TestRoot.path + "/" + TestRoot.newName("s"), root: root)
    suite.moreEnvironment = environment
    do {
        try suite.start()
        if image { try suite.succeed("load", "-i", busyboxArchive.get()) }
    } catch {
        let logs = suite.logs
        suite.destroy()
        throw CommandOutputUnreadable(description: "the suite did not start: \(error)\n\(logs)")
    }
    do {
        let result = try body(suite)
        suite.end(sourceLocation: sourceLocation)
        return result
    } catch {
        Issue.record("\(error)\n\(suite.logs)", sourceLocation: sourceLocation)
        suite.end(sourceLocation: sourceLocation)
        throw error
    }
}

/// The archive of `busybox:latest`, made once for each run of the tests.
package let busyboxArchive: Result<String, any Error> = Result {
    let path = TestRoot.path + "/busybox.tar"
    if !FileManager.default.fileExists(atPath: path) {
        try TestSupport.succeed(repository + "/scripts/make-busybox-image", [path, "busybox:latest"])
    }
    return path
}
