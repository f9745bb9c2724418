// SPDX-License-Identifier: Apache-2.0
package import System

/// Bytes through non-blocking pipes, as fast as the other side takes or gives them.
extension Poller {
    /// At most `limit` bytes, as soon as there are any; empty at the end.
    ///
    /// Rightly endless; ends by cancellation.
    package func bytes(from pipe: SharedDescriptor, limit: Int) async throws -> [UInt8] {
        while true {
            do throws(SystemError) { return try Files.readSome(pipe.raw, limit: limit) } catch {
                guard error.code == ErrorNumber.tryAgain else { throw error }
            }
            try await readable(pipe)
        }
    }

    /// Writes all of `bytes`. Otherwise as `bytes(from:)`.
    /// - Throws: `EPIPE` when nobody reads any more (the caller ignores SIGPIPE).
    package func write(_ bytes: [UInt8], to pipe: SharedDescriptor) async throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            do throws(SystemError) {
                rest = rest.dropFirst(try Files.writeSome(pipe.raw, rest))
                continue
            } catch {
                guard error.code == ErrorNumber.tryAgain else { throw error }
            }
            try await writable(pipe)
        }
    }
}
