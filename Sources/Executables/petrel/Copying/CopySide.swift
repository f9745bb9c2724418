// SPDX-License-Identifier: Apache-2.0
import Events
import FileTrees
import Messages
import RPC
import Rendering
import Services
import Synchronization
import System
import Tar

/// What both directions of a copy work with.
struct CopySide: Sendable {
    let engine: EngineConnection
    /// For messages.
    let what: String
    let keepsOwners: Bool
    let followsLink: Bool
    /// The working directory.
    let directory: String
    /// Nil where nobody looks.
    let progress: CopyProgress?

    static let chunkBytes = 256 << 10
    private static let pipeBytes = 1 << 20

    /// Nil when there is nothing.
    func status(of container: String, _ path: CopyPath) async throws -> CommonV1.PathStatus? {
        let request = EngineV1.StatPathRequest(container: container, path: path.fullText)
        do throws(RPCError) {
            return try await engine.untilAnswered { () async throws(RPCError) in
                try await engine.containers.statPath(request)
            }
        } catch {
            guard error.detail?.reason == "path_not_found" else { throw engine.failure(what, error) }
            return nil
        }
    }

    /// What the user reads when a copy comes to nothing.
    func failure(_ error: any Error) -> any Error {
        switch error {
        case let error as RPCError:
            let isCutOff = error.code == .unavailable && error.detail == nil
            guard isCutOff else { return engine.failure(what, error) }
            return Failure(
                what,
                "the copy was cut off: the engine has gone (\(error.message))",
                advice: "What was copied until then is there. Copy it again."
            )
        case let error as ArchiveError: return Failure(what, "\(error)")
        case let error as SystemError: return Failure(what, "\(error)")
        case let refusal as CopyPlan.Refusal:
            switch refusal {
            case .directoryOntoFile: return Failure(what, "cannot copy directory: the destination is a file")
            case .noSuchDirectory: return Failure(what, "no such directory")
            }
        default: return error
        }
    }

    /// Two ends of a pipe, the numbers given away; ours does not block.
    static func pipe(readingBlocks: Bool) throws(SystemError) -> (readEnd: Int32, writeEnd: Int32) {
        let pipe = try Pipe()
        try? Pipe.resize(pipe.writeEnd.raw, toBytes: pipeBytes)
        try Files.setNonBlocking(readingBlocks ? pipe.writeEnd.raw : pipe.readEnd.raw)
        let readEnd = try pipe.readEnd.duplicate()
        let writeEnd = try pipe.writeEnd.duplicate()
        return (readEnd.relinquish(), writeEnd.relinquish())
    }
}

/// Work that blocks, on a thread of its own, and what came of it.
final class ThreadWork<Value: Sendable>: Sendable {
    private final class Outcome: Sendable {
        let result = Mutex<Result<Value, any Error>?>(nil)
        let changes = Changes()
    }

    private let outcome: Outcome

    init(_ body: @escaping @Sendable () throws -> Value) throws(SystemError) {
        let outcome = Outcome()
        self.outcome = outcome
        try Threads.start {
            let result = Result { try body() }
            outcome.result.withLock { $0 = result }
            outcome.changes.announce()
        }
    }

    /// Waits for it; ends by cancellation, which the work knows nothing of.
    var value: Value {
        get async throws {
            while true {
                let seen = outcome.changes.version
                if let result = outcome.result.withLock({ $0 }) { return try result.get() }
                try await outcome.changes.wait(beyond: seen)
            }
        }
    }
}

/// What became of a copy.
struct Copied: Sendable {
    /// Of the archive, extended headers left out.
    var bytes: Int64
    /// Device nodes that were not made.
    var skipped = 0
    /// They were all that there was.
    var isNothing = false
    /// Where to.
    var place: String
}
