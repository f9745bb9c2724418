// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import Logs
internal import System

/// Reading a container's output from its spool: what is there, and what comes.
extension Engine {
    private static let lookAgain = Duration.milliseconds(50)
    private static let askAgain = Duration.seconds(1)
    /// Of what is handed over at once; a line of one byte becomes 32 with its time, and more with details.
    private static let renderedBytes = 1 << 20

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
        let row = try await row(reference)
        let plan = try LogPlan(row.settings.log)
        // Those who are attached see what comes all the same.
        guard plan.isReadable || query.untilRunEnds else {
            throw EngineError.outputNotKept(row.id, driver: plan.driver)
        }
        let details = query.details ? try LogDetails(row.settings.log, row.resolved) : nil
        readers.enter(row.id)
        defer { readers.leave(row.id) }
        guard let state = try await state(of: row.id) else { return }
        let directory = SpoolDirectory(path: state.outputDirectory)
        do {
            try await read(directory, plan.output, query, details, RunEnd(query, state), receive)
        } catch let error as SystemError {
            throw EngineError.outputUnreadable(row.id, error.description)
        }
    }

    private func read(
        _ directory: SpoolDirectory,
        _ order: OutputOrder,
        _ query: OutputQuery,
        _ details: LogDetails?,
        _ end: RunEnd,
        _ receive: @Sendable (OutputChunk) async throws -> Void
    ) async throws {
        let asked = try directory.end()
        var renderer = OutputRenderer(
            query: query,
            place: try Engine.place(of: query, in: directory, before: asked),
            details: details
        )
        let atOnce = Engine.renderedBytes / (details.map { 33 + $0.text.utf8.count } ?? 32)
        let segmentBytes = SpoolLimits(segmentBytes: order.segmentBytes).segmentBytes
        var reader = SpoolReader(directory: directory, from: renderer.place.position)
        let follows = query.follows || query.untilRunEnds
        if follows {
            try await receive(OutputChunk(bytes: [], stream: 0, position: renderer.place.text))
        }
        var watch: OutputWatch?
        var end = end
        while true {
            let seen = changes.version
            if follows, watch == nil { watch = OutputWatch(directory) }
            watch?.drain()
            // Asked before the last look, so that nothing written before the end is missed.
            let isEnd =
                follows ? try await end.hasCome(seen: seen, ask: { try await self.state(of: $0) }) : true
            // A container may write faster than this reads, also in a run after the one whose end was waited for.
            if isEnd { reader.end = follows ? try directory.end() : asked }
            while let item = try reader.next(limit: atOnce) {
                guard let chunk = Engine.chunk(item, &renderer, segmentBytes) else { return }
                if !chunk.bytes.isEmpty || chunk.skippedBytes > 0 { try await receive(chunk) }
                try Task.checkCancellation()
            }
            if isEnd || (query.untilUnixNanos > 0 && Clock.wallNanos > query.untilUnixNanos) { return }
            try await waitForMore(watch, seen: seen)
        }
    }

    /// What is shown of an item; nil at the end of the time that was asked for.
    private static func chunk(
        _ item: LogItem,
        _ renderer: inout OutputRenderer,
        _ segmentBytes: UInt64
    ) -> OutputChunk? {
        switch item {
        case .gap(let from, let to):
            renderer.skip(to: to)
            let skipped = skippedBytes(from: from, to: to, segmentBytes: segmentBytes)
            return OutputChunk(bytes: [], stream: 0, position: renderer.place.text, skippedBytes: skipped)
        case .chunk(let chunk):
            if renderer.isPast(chunk) { return nil }
            let bytes = renderer.render(chunk)
            return OutputChunk(
                bytes: bytes,
                stream: UInt32(chunk.stream.rawValue),
                position: renderer.place.text
            )
        }
    }

    /// About how much output lay between two places: as if every segment had been filled. At least 1.
    /// - Parameter to: The beginning of a later segment.
    /// - Parameter segmentBytes: Of a full segment of this container.
    static func skippedBytes(from: LogPosition, to: LogPosition, segmentBytes: UInt64) -> UInt64 {
        let (whole, isTooMuch) = (to.segment - from.segment).multipliedReportingOverflow(by: segmentBytes)
        // A client may name a place that no container's output has.
        if isTooMuch { return .max }
        return whole > from.offset ? whole - from.offset : 1
    }

    private static func place(
        of query: OutputQuery,
        in directory: SpoolDirectory,
        before end: LogPosition
    ) throws -> OutputPlace {
        if !query.after.isEmpty { return try OutputPlace(query.after) }
        if query.fromEnd { return OutputPlace(position: end) }
        guard let lines = query.tail else { return OutputPlace(position: .start) }
        return try TailSearch(directory: directory, query: query, end: end).start(lines: lines)
    }

    private func waitForMore(_ watch: OutputWatch?, seen: UInt64) async throws {
        let pause = watch == nil ? Engine.lookAgain : Engine.askAgain
        try await firstOf([
            { try await Task.sleep(for: pause) },
            { try await self.changes.wait(beyond: seen) },
            {
                guard let watch else { return try await Task.sleep(for: pause) }
                try await watch.wait(self.poller)
            },
        ])
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
