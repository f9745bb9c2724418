// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import Logs
internal import System

/// Reading a container's output from its spool: what is there, and what comes.
extension Engine {
    private static let lookAgain = Duration.milliseconds(50)
    private static let askAgain = Duration.seconds(1)

    /// Hands over output in order. A follower's first chunk is empty and says that the reading has begun: a container
    /// that is started after it, however short-lived, is not missed.
    ///
    /// Returns at the end of what there was when it was asked for, however much is written meanwhile; when following,
    /// once the container will not run again by itself, is removed, or (as asked) its present or first run is over.
    /// `receive` suspends for as long as the reader is busy.
    /// - Throws: `.containerNotFound`, `.badPosition`, `.outputUnreadable`; `.invalidField` for details that are too long.
    package func output(
        of reference: String,
        _ query: OutputQuery,
        _ receive: @Sendable (OutputChunk) async throws -> Void
    ) async throws {
        try await output(of: reference, query, nil, receive)
    }

    /// The same for a reader who must have every byte, and says what he has received: the container waits for him rather than
    /// delete the rest, or be removed by itself. The last chunk, if there were others, says that it is the end.
    /// - Parameter nextReceipt: Up to which position of a chunk he has everything; nil: nothing is missing any more. What it
    ///   throws ends the reading, and what was held for it.
    package func heldOutput(
        of reference: String,
        _ query: OutputQuery,
        _ nextReceipt: @Sendable @escaping () async throws -> String?,
        _ receive: @Sendable @escaping (OutputChunk) async throws -> Void
    ) async throws {
        let receipts = OutputReceipts()
        var query = query
        query.holds = true
        try await withThrowingTaskGroup(of: Bool.self) { [query] group in
            defer { group.cancelAll() }
            group.addTask {
                try await self.output(of: reference, query, receipts, receive)
                return true
            }
            group.addTask {
                try await receipts.collect(nextReceipt)
                return false
            }
            while let isOver = try await group.next(), !isOver {}
        }
    }

    private func output(
        of reference: String,
        _ query: OutputQuery,
        _ receipts: OutputReceipts?,
        _ receive: @Sendable (OutputChunk) async throws -> Void
    ) async throws {
        let row = try await row(reference)
        let plan = try LogPlan(row.settings.log)
        // Those who are attached see what comes all the same.
        guard plan.isReadable || query.untilRunEnds else {
            throw EngineError.outputNotKept(row.id, driver: plan.driver)
        }
        let details = query.details ? try LogDetails(of: row) : nil
        readers.enter(row.id, holds: query.holds)
        defer { readers.leave(row.id, holds: query.holds) }
        guard let state = try await state(of: row.id) else { return }
        let directory = SpoolDirectory(path: state.outputDirectory)
        do {
            try await read(directory, plan.output, query, receipts, details, RunEnd(query, state), receive)
        } catch let error as SystemError {
            throw EngineError.outputUnreadable(row.id, error.description)
        }
    }

    private func read(
        _ directory: SpoolDirectory,
        _ order: OutputOrder,
        _ query: OutputQuery,
        _ receipts: OutputReceipts?,
        _ details: LogDetails?,
        _ end: RunEnd,
        _ receive: @Sendable (OutputChunk) async throws -> Void
    ) async throws {
        let asked = try directory.end()
        let place = try Engine.place(of: query, in: directory, before: asked)
        let follows = query.follows || query.untilRunEnds
        var reading = OutputReading(
            directory,
            order,
            OutputRenderer(query: query, place: place, details: details)
        )
        if let receipts { reading.hold(receipts, logger) }
        do {
            if follows { try await receive(OutputChunk(bytes: [], stream: 0, position: place.text)) }
            try await follow(&reading, directory, query, follows ? end : nil, asked, receive)
            if let receipts, reading.hasHandedOver {
                try await receive(OutputChunk(bytes: [], stream: 0, position: "", isEnd: true))
                faults.reach("engine.output.ended")
                try await receipts.waitUntilComplete()
            }
        } catch {
            // Its client will come back to the next engine.
            if isStopping { reading.leave() }
            throw error
        }
    }

    /// - Parameter end: nil: what there was when it was asked for, and no more.
    private func follow(
        _ reading: inout OutputReading,
        _ directory: SpoolDirectory,
        _ query: OutputQuery,
        _ end: RunEnd?,
        _ asked: LogPosition,
        _ receive: @Sendable (OutputChunk) async throws -> Void
    ) async throws {
        let follows = end != nil
        let receipts = reading.receipts
        var watch: DirectoryWatches.Watch?
        var hasWaited = false
        var end = end
        while true {
            let seen = changes.version
            let heard = receipts?.version ?? 0
            // Without one (the folder is not there yet, or there are too many) it is looked at from time to time.
            if follows, watch == nil {
                // Of what is silent for longer, the folder is made: to look for it for hours costs more.
                if hasWaited { try? directory.make() }
                watch = try? DirectoryWatches.shared?.watch(directory.path)
            }
            let written = watch?.version ?? 0
            // Asked before the last look, so that nothing written before the end is missed.
            let isEnd = try await end?.hasCome(seen: seen, ask: { try await self.state(of: $0) }) ?? true
            // A container may write faster than this reads, also in a run after the one whose end was waited for.
            if isEnd { reading.end(at: follows ? try directory.end() : asked) }
            guard try await reading.handOver(receive), !isEnd,
                query.untilUnixNanos == 0 || Clock.wallNanos <= query.untilUnixNanos
            else { return }
            hasWaited = true
            let pause = watch == nil ? Engine.lookAgain : Engine.askAgain
            try await firstOf([
                { try await Task.sleep(for: pause) },
                { try await self.changes.wait(beyond: seen) },
                { [watch] in
                    guard let watch else { return try await Task.sleep(for: pause) }
                    try await watch.wait(beyond: written)
                },
                {
                    guard let receipts else { return try await Task.sleep(for: pause) }
                    try await receipts.wait(beyond: heard)
                },
            ])
        }
    }

    private static func place(
        of query: OutputQuery,
        in directory: SpoolDirectory,
        before end: LogPosition
    ) throws -> OutputPlace {
        if !query.after.isEmpty { return try OutputPlace(query.after) }
        if query.fromEnd { return OutputPlace(position: end) }
        // Every byte, from the first segment on.
        if query.holds { return OutputPlace(position: LogPosition(segment: 1, offset: 0)) }
        guard let lines = query.tail else { return try OutputPlace.start(of: directory) }
        return try TailSearch(directory: directory, query: query, end: end).start(lines: lines)
    }
}

/// Decides when a follower has seen everything.
private struct RunEnd {
    private static let interval = Duration.seconds(1)

    private let id: ContainerID
    /// The end of a run later than this is what is waited for; nil: until the container will not run again by itself.
    private let lastEnd: Int64?
    private var isKnown: Bool
    private var seen: UInt64?
    private var asked = ContinuousClock.now

    init(_ query: OutputQuery, _ state: SupervisedContainer) {
        id = state.id
        let end = state.exit?.atUnixNanos ?? 0
        lastEnd = query.untilRunEnds ? end : nil
        // Looking on from a time after the last run's end means the next run.
        let isAhead = query.untilRunEnds && query.sinceUnixNanos > end
        isKnown = state.phase == .exited && !isAhead
    }

    /// - Parameter seen: The present version of what the engine knows; the supervisor is asked when it has changed, and
    ///   each second.
    mutating func hasCome(
        seen: UInt64,
        ask: (ContainerID) async throws -> SupervisedContainer?
    ) async throws -> Bool {
        if isKnown { return true }
        let now = ContinuousClock.now
        guard self.seen != seen || now > asked.advanced(by: RunEnd.interval) else { return false }
        (self.seen, asked) = (seen, now)
        if let state = try await ask(id) {
            isKnown = lastEnd.map { (state.exit?.atUnixNanos ?? 0) > $0 } ?? (state.phase == .exited)
        } else {
            isKnown = true
        }
        return isKnown
    }
}
