// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TestSupport

/// What a container can reach of the programs that made it.
@Suite(.serialized, .needsRoot)
struct IsolationTests {
    /// A process of a container is a clone of its keeper until it executes its own program, and an image can have it
    /// execute `/proc/self/exe` again, inside: that file must not be one that can be written to.
    @Test func theKeepersFileCannotBeWrittenThroughItsProcess() throws {
        try withSuite { suite in
            let id = try suite.startShell("c", "sleep 60")
            var files: [Int32] = []
            defer { for file in files { close(file) } }
            for isAdopter in [false, true] {
                if isAdopter { try suite.replaceKeeper(of: id) }
                let keeper = try #require(suite.keeper(of: id))
                files.append(open("/proc/\(keeper)/exe", O_RDONLY))
                #expect(
                    try String(contentsOfFile: "/proc/\(keeper)/comm", encoding: .utf8) == "petrel-keeper\n"
                )
            }
            try suite.succeed("rm", "-f", "c")
            // While it is executed nobody can write to it; what counts is how it is afterwards.
            try eventually("the keeper's end") { suite.keeper(of: id) == nil }
            for file in files {
                let again = open("/proc/self/fd/\(file)", O_WRONLY)
                let code = errno
                #expect(file >= 0 && again < 0 && code == EROFS, "\(String(cString: strerror(code)))")
                if again >= 0 { close(again) }
            }
        }
    }

    @Test func anEntrypointThatIsTheKeeperItselfHarmsNothing() throws {
        let keeper = URL(fileURLWithPath: binaries + "/petrel-keeper")
        let before = try Data(contentsOf: keeper)
        try withSuite { suite in
            var layer = TarArchive()
            layer.add(.file, "again", text: "#!/proc/self/exe\n", mode: 0o755)
            let archive = try TestImage.archive("self:1", layers: [TestImage.busyboxLayer(), layer.finished])
            #expect(try suite.petrel("load", stdin: .bytes(archive)).status == 0)
            let outcome = try suite.petrel("run", "--rm", "self:1", "/again")
            #expect(outcome.status == 2 && outcome.stderr.contains("usage: petrel-keeper"), "\(outcome)")
            suite.expectNoRemains()
        }
        #expect(try Data(contentsOf: keeper) == before)
    }
}
