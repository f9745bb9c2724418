// SPDX-License-Identifier: Apache-2.0
internal import AsyncHTTPClient
internal import Logging
internal import NIOCore
internal import NIOHTTP1
package import OCI

/// Blobs, which stream.
extension RegistrySession {
    private struct TransientFailure: Error { let reason: String }

    /// A blob, in order, from the beginning. A connection that breaks is taken up again where it broke.
    ///
    /// - Parameter receive: Gets the chunks; what it throws ends the download and is thrown on.
    /// - Throws: `RegistryError`: `.wrongSize` when there are more or fewer bytes than `descriptor` says; `.interrupted`
    ///   after several attempts in a row that brought next to nothing.
    package func blob(
        _ descriptor: ContentDescriptor,
        _ receive: (_ chunk: [UInt8]) async throws -> Void
    ) async throws {
        var progress = BlobProgress(sizeBytes: descriptor.sizeBytes)
        while true {
            progress.beginAttempt()
            do {
                return try await blobPart(descriptor, &progress, receive)
            } catch let error as TransientFailure {
                progress.endAttempt()
                guard progress.failures < Self.maximumAttempts else {
                    throw RegistryError.interrupted(
                        digest: "\(descriptor.digest)",
                        receivedBytes: progress.received,
                        reason: error.reason
                    )
                }
                logger.warning(
                    "blob download interrupted, resuming",
                    metadata: [
                        "digest": "\(descriptor.digest)", "received": "\(progress.received)",
                        "reason": "\(error.reason)",
                    ]
                )
                try await backOff(progress.failures)
            }
        }
    }

    /// Returns when the blob is complete.
    private func blobPart(
        _ descriptor: ContentDescriptor,
        _ progress: inout BlobProgress,
        _ receive: (_ chunk: [UInt8]) async throws -> Void
    ) async throws {
        func wrongSize(_ actual: Int64) -> RegistryError {
            .wrongSize(digest: "\(descriptor.digest)", expected: descriptor.sizeBytes, actual: actual)
        }
        let response = try await opened(descriptor, from: progress.received)
        let length = response.headers.first(name: "content-length").flatMap { Int64($0) }
        var skip: Int64
        switch progress.part(isRest: response.status == .partialContent, contentLength: length) {
        case .rest: skip = 0
        // A registry that does not know ranges begins again; what is there already is dropped.
        case .whole(let present): skip = present
        case .wrongSize(let actual): throw wrongSize(actual)
        }
        var body = response.body.makeAsyncIterator()
        while true {
            let start = ContinuousClock.now
            guard let buffer = try await next(&body) else { break }
            let dropped = min(Int64(buffer.readableBytes), skip)
            skip -= dropped
            let isFastEnough = progress.add(
                Int64(buffer.readableBytes),
                skipped: dropped,
                after: ContinuousClock.now - start
            )
            guard progress.received <= descriptor.sizeBytes else { throw wrongSize(progress.received) }
            try await receive(Array(buffer.readableBytesView.dropFirst(Int(dropped))))
            guard isFastEnough else { throw TransientFailure(reason: "too slow") }
        }
        if progress.received == descriptor.sizeBytes { return }
        guard length != nil else { throw wrongSize(progress.received) }
        throw TransientFailure(reason: "the answer ended early")
    }

    @concurrent private func next(_ body: inout HTTPClientResponse.Body.AsyncIterator) async throws
        -> ByteBuffer?
    {
        do {
            return try await body.next()
        } catch is CancellationError {
            throw RegistryError.cancelled
        } catch {
            if Task.isCancelled { throw RegistryError.cancelled }
            throw TransientFailure(reason: FailureText.of(error))
        }
    }

    /// The answer to a request for a blob, or for its rest, with failures told apart that may pass.
    private func opened(_ descriptor: ContentDescriptor, from start: Int64) async throws -> HTTPClientResponse
    {
        let path = "/v2/\(repository)/blobs/\(descriptor.digest)"
        let headers = start > 0 ? [("range", "bytes=\(start)-")] : []
        let failure: RegistryError
        do throws(RegistryError) {
            let response = try await authorized(path, headers: headers, isBlob: true)
            try await check(
                response,
                reference: "\(registry)/\(repository)@\(descriptor.digest)",
                path: path
            )
            let range = response.headers.first(name: "content-range") ?? ""
            guard response.status != .partialContent || range.hasPrefix("bytes \(start)-") else {
                throw .malformed(registry: registry, reason: "asked for byte \(start), got \"\(range)\"")
            }
            return response
        } catch {
            failure = error
        }
        switch failure {
        case .unreachable(_, let reason): throw TransientFailure(reason: reason)
        case .unexpectedStatus(_, _, let status, _) where status >= 500:
            throw TransientFailure(reason: "status \(status)")
        case .tooManyRequests: throw TransientFailure(reason: "too many requests")
        default: throw failure
        }
    }
}
