// SPDX-License-Identifier: Apache-2.0
internal import Suite
internal import System

/// Finds a daemon's process by the lock that every daemon holds while it runs.
enum LockHolder {
    /// The process that holds `ROOT/locks/<daemon>.lock`; nil when nobody does.
    ///
    /// The file tells the number, which its holder writes just after taking the lock: in between, nobody is found.
    static func pid(of daemon: String, at location: SuiteLocation) -> Int32? {
        guard let file = try? Files.open("\(location.root)/locks/\(daemon).lock", .readWrite),
            let isFree = try? FileLocks.tryLock(file.raw), !isFree,
            let text = try? Files.contents(of: file.raw, limit: 32)
        else { return nil }
        return Int32(String(decoding: text, as: UTF8.self))
    }
}
