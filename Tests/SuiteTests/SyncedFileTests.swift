// SPDX-License-Identifier: Apache-2.0
import System
import TestSupport
import Testing

struct SyncedFileTests {
    /// What is in it stays; one that is longer is left as it is.
    @Test func aLogIsMadeLongBehindWhatIsInIt() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/log"
            let begin = Array("frames".utf8)
            try Files.replace(path, with: begin)
            for length in [Int64(100_000), 50_000] {
                try SyncedFile(path, filledTo: length).sync()
                let bytes = try Files.contents(of: path)
                #expect(bytes == begin + [UInt8](repeating: 0, count: 100_000 - begin.count))
            }
        }
    }

    /// It is the database's to make it.
    @Test func aLogThatIsNotThereIsNotMade() throws {
        try withTemporaryDirectory { directory in
            let log = try? SyncedFile(directory + "/log", filledTo: 10)
            let names = try Files.names(in: directory)
            #expect(log == nil && names.isEmpty)
        }
    }
}
