// SPDX-License-Identifier: Apache-2.0
import System
import TestSupport
import Testing

/// Writing files and directories, by path.
struct FilesTests {
    @Test func directoriesAreMadeWithTheirParents() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/a/b/c"
            for _ in 1...2 {
                try Files.makeDirectories(path, mode: 0o700)
                let status = try Files.status(of: path)
                #expect(status.kind == .directory && status.permissions == 0o700)
            }
            try Files.makeDirectories(directory + "/a/b/d/")
            #expect(try Files.names(in: directory + "/a/b").sorted() == ["c", "d"])
            try Files.replace(directory + "/file", with: [1])
            let error = #expect(throws: SystemError.self) { try Files.makeDirectories(directory + "/file/x") }
            #expect(error?.name == "ENOTDIR")
        }
    }

    /// Nothing is left beside it, what was left by one that was killed included.
    @Test func aFileIsReplacedWhole() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/record"
            for content: [UInt8] in [[1, 2, 3], [4], [], [5, 6]] {
                try Files.replaceForThisBoot(path, with: content)
                #expect(try Files.contents(of: path) == content)
                #expect(try Files.names(in: directory) == ["record"])
            }
            try Files.replace(path + ".new", with: [9, 9, 9, 9])
            try Files.replaceForThisBoot(path, with: [7])
            #expect(try Files.contents(of: path) == [7])
            #expect(try Files.names(in: directory) == ["record"])
            #expect(try Files.status(of: path).permissions == 0o600)
        }
    }

    /// A reader at any moment finds the one or the other.
    @Test func aReaderFindsTheOldOrTheNew() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/record"
            let contents = [[UInt8](repeating: 1, count: 5000), [UInt8](repeating: 2, count: 3)]
            try Files.replaceForThisBoot(path, with: contents[0])
            let writer = Task.detached {
                for index in 0..<2000 { try Files.replaceForThisBoot(path, with: contents[index % 2]) }
            }
            var others: [[UInt8]] = []
            for _ in 0..<2000 {
                let found = try Files.contents(of: path)
                if !contents.contains(found) { others.append(found) }
            }
            try await writer.value
            #expect(others.isEmpty, "\(others.count), such as \(others.first ?? [])")
        }
    }
}
