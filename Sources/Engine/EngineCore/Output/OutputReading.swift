// SPDX-License-Identifier: Apache-2.0
internal import Logging
internal import Logs
internal import System

/// One reading of a container's output: where it stands, how it is rendered, and what is held for it.
struct OutputReading: ~Copyable {
    /// Of what is handed over at once; a line of one byte becomes 32 with its time, and more with details.
    private static let renderedBytes = 1 << 20

    private let directory: SpoolDirectory
    private let limits: SpoolLimits
    private let bytesAtOnce: Int
    private var reader: SpoolReader
    private var renderer: OutputRenderer
    private var held: HeldOutput?
    /// Of the last chunk that was handed over.
    private var toldSegment: UInt64
    /// Whether anything may be on its way to the reader.
    private(set) var hasHandedOver = false
    /// Of a reader for whom it is held.
    private(set) var receipts: OutputReceipts?

    init(_ directory: SpoolDirectory, _ order: OutputOrder, _ renderer: OutputRenderer) {
        self.directory = directory
        self.renderer = renderer
        limits = SpoolLimits(segmentBytes: order.segmentBytes, segments: Int(order.segments))
        bytesAtOnce = Self.renderedBytes / (32 + renderer.detailBytes)
        toldSegment = renderer.place.position.segment
        reader = SpoolReader(directory: directory, from: renderer.place.position)
    }

    /// Nothing that is still to be read is deleted from now on; a container that was begun for this reader expects him, and
    /// needs to be told only when there is something.
    mutating func hold(_ receipts: OutputReceipts, _ logger: Logger) {
        self.receipts = receipts
        held = HeldOutput(directory, receipts, logger)
        let query = renderer.query
        if !query.isOfFirstRun { held?.begin(at: reader.position) }
    }

    /// Another engine will go on for the same client.
    mutating func leave() { held?.leave() }

    /// Nothing from `position` on is handed over.
    mutating func end(at position: LogPosition) { reader.end = position }

    /// Hands over all that is there now.
    /// - Returns: false at the end of the time that was asked for.
    mutating func handOver(_ receive: @Sendable (OutputChunk) async throws -> Void) async throws -> Bool {
        while let item = try reader.next(limit: bytesAtOnce) {
            held?.begin(at: renderer.place.position)
            guard let chunk = try chunk(item) else { return false }
            if isWorthTelling(chunk) {
                hasHandedOver = true
                toldSegment = renderer.place.position.segment
                try await receive(chunk)
            }
            held?.release()
            try Task.checkCancellation()
        }
        held?.release()
        return true
    }

    /// Whom output is held for has to say that he is past what he does not want, too.
    private func isWorthTelling(_ chunk: OutputChunk) -> Bool {
        !chunk.bytes.isEmpty || chunk.skippedBytes > 0
            || receipts != nil && renderer.place.position.segment > toldSegment
    }

    /// What is shown of an item; nil at the end of the time that was asked for.
    private mutating func chunk(_ item: LogItem) throws(SystemError) -> OutputChunk? {
        switch item {
        case .gap(let from, let to):
            // Who is attached gets bytes, and others lines.
            let isAttached = renderer.query.untilRunEnds
            renderer.skip(
                to: isAttached
                    ? OutputPlace(position: to) : try OutputPlace.begin(of: to.segment, in: directory)
            )
            let skipped = Self.skippedBytes(from: from, to: to, segmentBytes: limits.segmentBytes)
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
}
