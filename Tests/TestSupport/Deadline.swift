// SPDX-License-Identifier: Apache-2.0
import Foundation

/// What a test was waiting for, when its time was up.
package struct DeadlineExceeded: Error, CustomStringConvertible {
    package let description: String
}

/// How much longer than usual this machine may take: PETREL_TEST_PATIENCE, 1 by default.
package let patience: Double = {
    ProcessInfo.processInfo.environment["PETREL_TEST_PATIENCE"].flatMap(Double.init) ?? 1
}()

/// Asks `condition` again and again until it answers something, and returns that.
///
/// An error thrown by `condition` counts as "not yet"; the last one is part of the failure's text.
/// - Throws: `DeadlineExceeded` after `limit` times `patience`.
@discardableResult
package func eventually<Answer>(
    _ what: String,
    within limit: Double = 20,
    every pause: Double = 0.02,
    _ condition: () throws -> Answer?
) throws -> Answer {
    let end = Date().addingTimeInterval(limit * patience)
    var last = ""
    while true {
        do {
            if let answer = try condition() { return answer }
            last = ""
        } catch {
            last = "; last: \(error)"
        }
        guard Date() < end else {
            throw DeadlineExceeded(description: "not within \(limit) s: \(what)\(last)")
        }
        Thread.sleep(forTimeInterval: pause)
    }
}

/// The same for a condition that is only true or false.
package func eventually(
    _ what: String,
    within limit: Double = 20,
    every pause: Double = 0.02,
    holds condition: () throws -> Bool
) throws {
    try eventually(what, within: limit, every: pause) { try condition() ? true : nil }
}

/// Lets time pass, where the passing of time is what is tested.
package func pass(seconds: Double) { Thread.sleep(forTimeInterval: seconds) }
