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

    @Test(arguments: [0, 1, 4095, 4096, 4097, 69_631, 69_632, 69_633, 200_000])
    func aFileIsReadWholeUpToTheLimit(_ size: Int) throws {
        try withTemporaryDirectory { directory in
            let content = (0..<size).map { UInt8(truncatingIfNeeded: $0 / 7) }
            try Files.replace(directory + "/file", with: content)
            #expect(try Files.contents(of: directory + "/file", limit: size) == content)
            guard size > 0 else { return }
            let error = #expect(throws: SystemError.self) {
                try Files.contents(of: directory + "/file", limit: size - 1)
            }
            #expect(error?.name == "EFBIG")
        }
    }

    /// The kernel hands one out piece by piece.
    @Test func aFileOfTheKernelIsReadToItsEnd() throws {
        let text = try Files.text(of: "/proc/self/smaps")
        #expect(text.utf8.count > 8192)
        #expect(text.contains("[stack]"))
        #expect(text.split(separator: "\n").last?.hasPrefix("VmFlags:") == true)
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
