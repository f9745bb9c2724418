// SPDX-License-Identifier: Apache-2.0
import System

/// Runs what blocks on a thread of its own: the tests' tasks share as many threads as there are processors, and all wait
/// while these do.
package func blocking<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws
    -> Result
{
    try await withCheckedThrowingContinuation { continuation in
        do {
            try Threads.start { continuation.resume(with: Swift.Result { try body() }) }
        } catch {
            continuation.resume(throwing: error)
        }
    }
}
