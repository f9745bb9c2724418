// SPDX-License-Identifier: Apache-2.0
import FileTrees
import Testing

@Suite struct CopyPlanTests {
    @Test(arguments: [
        ("etc/x", "/etc/x", "x", "/etc", false), ("/etc/x/", "/etc/x/", "x", "/etc", true),
        ("/etc/.", "/etc/.", ".", "/etc", true), ("/", "/", "/", "/", true), ("", "/", "/", "/", false),
        (".", "/.", ".", "/", true), ("/a/../b", "/b", "b", "/", false), ("../../x", "/x", "x", "/", false),
        ("a/./b", "/a/b", "b", "/a", false), ("a/./", "/a/.", ".", "/a", true),
    ])
    func pathsAreReadAsDockerDoes(text: String, full: String, base: String, parent: String, asserts: Bool) {
        let path = CopyPath(text)
        #expect(path.fullText == full && path.base == base && path.parent.text == parent)
        #expect(path.assertsDirectory == asserts)
    }

    @Test func localPathsBeginAtTheWorkingDirectory() {
        #expect(CopyPath("x/../y/", from: "/w/d").fullText == "/w/d/y/")
        #expect(CopyPath("/abs", from: "/w").fullText == "/abs")
        #expect(CopyPath(".", from: "/w").fullText == "/w/.")
    }

    @Test func linksLeadOn() {
        #expect(CopyPath("/a/l").following("/b/c").fullText == "/b/c")
        #expect(CopyPath("/a/l").following("../c").fullText == "/c")
        #expect(CopyPath("/a/l/").following("c").fullText == "/a/c/")
    }

    private func place(_ isDirectory: Bool, _ to: String, _ present: CopyPlan.Present) throws -> String {
        let plan = try CopyPlan(copyingDirectory: isDirectory, to: CopyPath(to), where: present)
        return plan.directory.text + " " + (plan.name ?? "-")
    }

    /// The table of Docker's manual.
    @Test func thingsEndUpWhereDockerPutsThem() throws {
        // A file.
        #expect(try place(false, "/d/new", .nothing) == "/d new")
        #expect(throws: CopyPlan.Refusal.noSuchDirectory) { try place(false, "/d/new/", .nothing) }
        #expect(try place(false, "/d/file", .other) == "/d file")
        #expect(try place(false, "/d", .directory) == "/d -")
        // A directory.
        #expect(try place(true, "/d/new", .nothing) == "/d new")
        #expect(try place(true, "/d/new/", .nothing) == "/d new")
        #expect(try place(true, "/d/new/.", .nothing) == "/d new")
        #expect(throws: CopyPlan.Refusal.directoryOntoFile) { try place(true, "/d/file", .other) }
        #expect(try place(true, "/d", .directory) == "/d -")
    }

    private func renamed(_ base: String, _ new: String?, _ name: String) -> String? {
        ArchiveTop(base, renamed: new).renamed(Array(name.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func theTopAloneIsRenamed() {
        #expect(renamed("a", "b", "a") == "b" && renamed("a", "b", "a/") == "b/")
        #expect(renamed("a", "b", "a/a/x") == "b/a/x" && renamed("a", nil, "a/x") == "a/x")
        #expect(renamed(".", "b", "./") == "b/" && renamed(".", "b", "./x") == "b/x")
        #expect(renamed("/", "b", "/x") == "b/x" && renamed("/", nil, "/x") == "/x")
        for name in ["ab", "x", "/a", "../a", ""] { #expect(renamed("a", "b", name) == nil) }
    }
}
