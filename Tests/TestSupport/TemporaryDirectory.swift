// SPDX-License-Identifier: Apache-2.0
import Foundation
internal import Synchronization

/// Everything that this run of the tests puts on the disk is below one directory: PETREL_TEST_ROOT, which
/// `scripts/test` makes and removes, or a new one in /var/tmp. It is on a disk (not a tmpfs) and its path is short,
/// since sockets lie below it.
package enum TestRoot {
    package static let path: String = {
        if let given = ProcessInfo.processInfo.environment["PETREL_TEST_ROOT"] { return given }
        var template = Array("/var/tmp/petrel-test.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { fatalError("mkdtemp in /var/tmp: \(errno)") }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        atexit { TestRoot.removeIfEmpty() }
        return path
    }()

    private static let last = Mutex(0)

    /// A name that no other directory of this run has.
    package static func newName(_ prefix: String) -> String {
        let number = last.withLock { last in
            last += 1
            return last
        }
        return "\(prefix)\(getpid() % 100_000)-\(number)"
    }

    private static func removeIfEmpty() {
        for name in ["busybox.tar"] { unlink(path + "/" + name) }
        rmdir(path)
    }
}

/// Makes a directory, and removes it with all its content when `body` is done.
package func withTemporaryDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
    let path = TestRoot.path + "/" + TestRoot.newName("d")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { removeTree(path) }
    return try body(path)
}

/// The same for a body that waits.
package func withTemporaryDirectory<Result>(
    isolation: isolated (any Actor)? = #isolation,
    _ body: (String) async throws -> Result
) async throws -> Result {
    let path = TestRoot.path + "/" + TestRoot.newName("d")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { removeTree(path) }
    return try await body(path)
}

/// Makes a small file system in memory, and unmounts it when `body` is done. Needs root.
package func withSmallDisk<Result>(bytes: Int, _ body: (String) throws -> Result) throws -> Result {
    try withTemporaryDirectory { directory in
        let path = directory + "/disk"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        guard mount("petrel-test", path, "tmpfs", 0, "size=\(bytes)") == 0 else {
            throw POSIXFailure("mount tmpfs")
        }
        defer { umount2(path, Int32(MNT_DETACH)) }
        return try body(path)
    }
}

/// A failed call of the C library, for tests.
package struct POSIXFailure: Error, CustomStringConvertible {
    package let description: String

    package init(_ call: String) {
        let code = errno
        description = "\(call): \(String(cString: strerror(code)))"
    }
}

/// Removes a directory and all below it, whatever is in the way that root can remove.
package func removeTree(_ path: String) {
    if (try? FileManager.default.removeItem(atPath: path)) == nil,
        FileManager.default.fileExists(atPath: path)
    {
        _ = try? run("/bin/rm", ["-rf", "--one-file-system", path])
    }
}
