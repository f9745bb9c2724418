// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import Logging
internal import System

/// Copying files out of a container and into it, whether it runs or not. One process each, which ends with the call.
///
/// A copy holds the container's root mounted. A root that is mounted twice is not to be written to, so a start waits for
/// copies for a while, and then ends them.
extension Container {
    private static let copyLimit = 32
    /// How long a start waits for copies.
    private static let startPatienceNanos: Int64 = 10_000_000_000
    /// How long a copy waits for a start that is under way, or for the end of a run to be known.
    private static let copyPatienceNanos: Int64 = 30_000_000_000

    /// What is at a path.
    /// - Throws: `.copyFailed`.
    package nonisolated func pathStatus(_ path: String) async throws -> PathStatus {
        try await withCopy(CopyOrder(.status, path: path)) { copy, status in
            try await copy.finish()
            return status
        }
    }

    /// Hands over a tar stream of what is at a path, piece by piece.
    /// - Parameters:
    ///   - first: Gets what is there, before the first piece.
    ///   - receive: Suspends for as long as the reader is busy; so does the packing.
    package nonisolated func readArchive(
        _ path: String,
        first: (PathStatus) async throws -> Void,
        receive: ([UInt8]) async throws -> Void
    ) async throws {
        try await withCopy(CopyOrder(.read, path: path)) { copy, status in
            try await first(status)
            while true {
                let bytes = try await copy.read()
                if bytes.isEmpty { break }
                try await receive(bytes)
            }
            try await copy.finish()
        }
    }

    /// Unpacks a tar stream in a directory.
    /// - Parameter next: The next piece; nil at the end. Asked when there is room for it.
    package nonisolated func writeArchive(
        _ order: CopyOrder,
        next: () async throws -> [UInt8]?
    ) async throws {
        try await withCopy(order) { copy, _ in
            while let bytes = try await next(), try await copy.write(bytes) {}
            copy.closeInput()
            try await copy.finish()
        }
    }

    private nonisolated func withCopy<Result: Sendable>(
        _ order: CopyOrder,
        _ body: (CopyProcess, PathStatus) async throws -> Result
    ) async throws -> Result {
        do {
            let (copy, status) = try await begin(order)
            defer { copy.kill() }
            return try await withThrowingTaskGroup(of: Void.self) { group in
                defer { group.cancelAll() }
                group.addTask { try await copy.watch() }
                return try await body(copy, status)
            }
        } catch let failure as CopyFailure {
            throw SupervisorError.copyFailed(id, failure)
        }
    }

    /// A process that has the container's files before it, and has told what is there.
    private nonisolated func begin(_ order: CopyOrder) async throws -> (CopyProcess, PathStatus) {
        for isLast in [false, true] {
            let (copy, run) = try await spawnCopy(order)
            do {
                let status = try await withThrowingTaskGroup(of: Void.self) { group in
                    defer { group.cancelAll() }
                    group.addTask { try await copy.watch() }
                    return try await copy.status()
                }
                return (copy, status)
            } catch {
                copy.kill()
                // The run ended between the question and the look at it.
                guard !isLast, let failure = error as? CopyFailure, let run,
                    failure.kind == .noRoot, failure.errno == ErrorNumber.noSuchProcess
                else { throw error }
                try await waitForEnd(ofRun: run)
            }
        }
        throw CopyFailure(.disturbed, path: order.path)
    }

    private func waitForEnd(ofRun run: UInt64) async throws {
        let deadline = Clock.bootNanos + Self.copyPatienceNanos
        _ = try await wait(untilBootNanos: deadline) {
            $0.lifecycle.phase != .running || $0.lifecycle.run != run
        }
    }

    /// - Returns: The run whose files are seen; nil when it does not run.
    private func spawnCopy(_ order: CopyOrder) async throws -> (CopyProcess, UInt64?) {
        let deadline = Clock.bootNanos + Self.copyPatienceNanos
        let isSettled = try await wait(untilBootNanos: deadline) { container in
            switch container.lifecycle.phase {
            case .starting: container.lifecycle.isBeingDeleted || container.isRemoved
            case .running: container.custody.process(ofRun: container.lifecycle.run) != nil
            // The root of one that does not run is mounted by each copy: one after the other.
            case .created, .restarting, .exited:
                container.copies.isEmpty || container.lifecycle.isBeingDeleted
            }
        }
        guard !isRemoved, !lifecycle.isBeingDeleted else { throw SupervisorError.isBeingRemoved(id) }
        guard isSettled else { throw CopyFailure(copies.isEmpty ? .disturbed : .tooMany, path: order.path) }
        guard copies.count < Self.copyLimit else { throw CopyFailure(.tooMany, path: order.path) }
        // A copy reads what a keeper reads.
        try renewIfDue()
        let run = lifecycle.phase == .running ? lifecycle.run : nil
        let process = run.flatMap { custody.process(ofRun: $0) }
        let copy = try surroundings.keepers.spawnCopy(order, of: directory, process: process)
        copies[copy.pid] = copy
        surroundings.works.start(on: thread) {
            try? await self.surroundings.poller.readable(copy.process)
            await self.forget(copy)
        }
        return (copy, run)
    }

    private func forget(_ copy: CopyProcess) {
        if copies[copy.pid] === copy { copies[copy.pid] = nil }
        changes.announce()
    }

    /// Before the root is mounted again, or goes away.
    /// - Parameter isPatient: Whether copies get some time to come to their end.
    func endCopies(isPatient: Bool) async throws {
        guard !copies.isEmpty else { return }
        if isPatient {
            let deadline = Clock.bootNanos + Self.startPatienceNanos
            if try await wait(untilBootNanos: deadline, { $0.copies.isEmpty }) { return }
        }
        for copy in copies.values { copy.kill(because: .disturbed) }
        // What the kernel does not let go of is no reason to wait for ever.
        let deadline = Clock.bootNanos + Self.startPatienceNanos
        _ = try await wait(untilBootNanos: deadline) { $0.copies.isEmpty }
    }
}
