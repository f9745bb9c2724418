// SPDX-License-Identifier: Apache-2.0
import ContainerInit
import System
import TestSupport
import Testing

struct FirstProcessTests {
    @Test func endsAsTheProgramDid() {
        #expect(FirstProcess.code(of: 0) == 0)
        #expect(FirstProcess.code(of: 7 << 8) == 7)
        #expect(FirstProcess.code(of: 255 << 8) == 255)
        #expect(FirstProcess.code(of: 9) == 137)
        // With a core dump.
        #expect(FirstProcess.code(of: 11 | 0x80) == 139)
    }

    @Test func needsAProgram() {
        #expect(FirstProcess([]) == nil)
        #expect(FirstProcess(["--"]) == nil)
        #expect(FirstProcess([""]) == nil)
        #expect(FirstProcess(["--", "sh"]) != nil)
        #expect(FirstProcess(["sh", "--"]) != nil)
    }

    @Test func programsAreFoundInThePath() throws {
        try withTemporaryDirectory { directory in
            for (name, mode) in [("tool", UInt32(0o755)), ("text", 0o644)] {
                try Files.open(directory + "/" + name, [.writeOnly, .create], mode: mode).close()
            }
            try Files.makeDirectory(directory + "/folder")
            let environment = ["PATH=/nowhere:\(directory)"]
            #expect(try ProgramPath.find("tool", environment: environment) == directory + "/tool")
            #expect(try ProgramPath.find("./tool", environment: environment) == "./tool")
            for name in ["folder", "absent"] {
                let error = #expect(throws: SystemError.self) {
                    try ProgramPath.find(name, environment: environment)
                }
                #expect(error?.code == 2)
            }
        }
    }
}
