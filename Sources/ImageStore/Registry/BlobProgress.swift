// SPDX-License-Identifier: Apache-2.0

/// How far a blob's download is, over all its attempts, and whether it gets on.
package struct BlobProgress {
    /// So much has to come within `patience`, and in an attempt that is not to count as another failure.
    package static let leastBytes: Int64 = 64 << 10
    package static let patience = Duration.seconds(30)

    package let sizeBytes: Int64
    package private(set) var received: Int64 = 0
    /// Attempts in a row that brought next to nothing.
    package private(set) var failures = 0
    private var bytesBefore: Int64 = 0
    private var waited = Duration.zero
    private var bytesMeanwhile: Int64 = 0

    package init(sizeBytes: Int64) { self.sizeBytes = sizeBytes }

    package mutating func beginAttempt() {
        bytesBefore = received
        (waited, bytesMeanwhile) = (.zero, 0)
    }

    package mutating func endAttempt() {
        failures = received - bytesBefore >= Self.leastBytes ? 1 : failures + 1
    }

    /// Notes bytes, some of which were here before.
    /// - Parameter time: For how long the registry was waited for; not what the reader took.
    /// - Returns: False when the registry is too slow.
    package mutating func add(_ count: Int64, skipped: Int64, after time: Duration) -> Bool {
        received += count - skipped
        bytesMeanwhile += count
        waited += time
        guard waited >= Self.patience else { return true }
        defer { (waited, bytesMeanwhile) = (.zero, 0) }
        return bytesMeanwhile >= Self.leastBytes || received >= sizeBytes
    }

    /// What an answer is: all of the blob, or the rest that was asked for.
    package enum Part: Equatable {
        /// The first bytes are here already.
        case whole(skip: Int64)
        case rest
        /// Another size than the blob's.
        case wrongSize(Int64)
    }

    /// - Parameter contentLength: As stated by the registry; any number, or nil.
    package func part(isRest: Bool, contentLength: Int64?) -> Part {
        let expected = isRest ? sizeBytes - received : sizeBytes
        if let contentLength, contentLength != expected {
            let (whole, overflow) = contentLength.addingReportingOverflow(isRest ? received : 0)
            return .wrongSize(overflow ? .max : whole)
        }
        return isRest ? .rest : .whole(skip: received)
    }
}
