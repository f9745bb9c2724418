// SPDX-License-Identifier: Apache-2.0
import System
import Testing

struct CodeMappingTests {
    @Test func onlyTheProgramsOwnCodeIsFound() throws {
        let program = "/opt/a b/petrel-engine"
        let code = "00400000-0276d000 r-xp 00000000 fe:00 524312                     \(program)"
        let mapping = try #require(CodeMapping(code, of: program))
        #expect(mapping.start == 0x400000 && mapping.bytes == 0x236d000)
        for other in [
            "00400000-0276d000 rw-p 00000000 fe:00 524312 \(program)",
            "00400000-0276d000 r--p 00000000 fe:00 524312 \(program)",
            "7f0000000000-7f0000001000 r-xp 00000000 fe:00 12 /usr/lib/libc.so.6",
            "7ffd00000000-7ffd00001000 r-xp 00000000 00:00 0 [vdso]",
            "0276d000-00400000 r-xp 00000000 fe:00 524312 \(program)",
            "00000000-00001000 r-xp 00000000 fe:00 524312 \(program)",
            "x-y r-xp 00000000 fe:00 524312 \(program)", "", "00400000-0276d000 r-xp",
        ] {
            #expect(CodeMapping(other, of: program) == nil, "\(other)")
        }
    }

    /// The code that runs this test is let go of, and is there again.
    @Test func codeComesBackByItself() {
        #expect(ProgramMemory.releaseCode() > 0)
        #expect(ProgramMemory.releaseCode() > 0)
    }

    @Test func anotherThreadsStackIsLeftAlone() async throws {
        let released = try await withCheckedThrowingContinuation { continuation in
            do {
                try Threads.start { continuation.resume(returning: ProgramMemory.releaseStack()) }
            } catch {
                continuation.resume(throwing: error)
            }
        }
        #expect(released == 0)
    }
}
