// SPDX-License-Identifier: Apache-2.0
import JSON
import Rendering
import Testing

@Suite struct TableTests {
    @Test func columnsAreAtLeastTenWideAndThreeApart() {
        var table = Table(["CONTAINER ID", "IMAGE", "NAMES"])
        table.add(["0123456789ab", "busybox", "web"])
        #expect(table.lines == ["CONTAINER ID   IMAGE     NAMES", "0123456789ab   busybox   web"])
    }

    @Test func controlCharactersAreNotShown() {
        var table = Table(["NAME"])
        table.add(["a\u{1b}[2Jb\nc"])
        #expect(table.lines.last == "a?[2Jb?c")
    }

    @Test func idsAndTextsAreCut() {
        #expect(Shortened.id("sha256:0123456789abcdef") == "0123456789ab")
        #expect(Shortened.text("0123456789", limit: 10) == "0123456789")
        #expect(Shortened.text("01234567890", limit: 10) == "012345678…")
        #expect(Shortened.image("busybox") == "busybox")
        #expect(
            Shortened.image("sha256:" + String(repeating: "a", count: 64))
                == String(repeating: "a", count: 12)
        )
    }
}

@Suite struct ListingTests {
    private let listing = Listing(
        columns: [.init("ID", "IMAGE ID"), .init("Tag", "TAG")],
        rows: [["ID": "a", "Tag": "latest", "Size": "1B"], ["ID": "b", "Tag": "old", "Size": "2B"]]
    )

    @Test func hasFourFormats() throws {
        #expect(
            try listing.lines(format: "table") == ["IMAGE ID   TAG", "a          latest", "b          old"]
        )
        #expect(try listing.lines(format: "json").first == #"{"ID":"a","Tag":"latest","Size":"1B"}"#)
        #expect(try listing.lines(format: "{{.ID}}/{{.Size}}") == ["a/1B", "b/2B"])
        #expect(
            try listing.lines(format: "table {{.Tag}}\\t{{.Size}}") == [
                "TAG       SIZE", "latest    1B", "old       2B",
            ]
        )
    }

    @Test func templatesReachIntoObjects() throws {
        let object: JSON = ["State": ["Pid": 7, "Running": true], "Args": ["a", "b"]]
        #expect(try Template("{{.State.Pid}} {{.State.Running}}").text(of: object) == "7 true")
        #expect(try Template("{{json .Args}} {{.Args}}").text(of: object) == #"["a","b"] [a b]"#)
        #expect(try Template("{{.Nothing.Here}}").text(of: object) == "<no value>")
    }
}

@Suite struct ProgressTests {
    @Test func aBarFillsTheWidth() {
        var progress = Progress()
        #expect(progress.update(id: "4a5f", status: "Downloading", current: 0, total: 4_000_000) == true)
        #expect(
            progress.update(id: "4a5f", status: "Downloading", current: 2_000_000, total: 4_000_000) == false
        )
        let lines = progress.lines(width: 60)
        #expect(
            lines.count == 1 && lines[0].hasPrefix("4a5f: Downloading [=") && lines[0].hasSuffix("] 2MB/4MB")
        )
        #expect(lines[0].count <= 60 && lines[0].contains(">"))
        #expect(
            progress.update(id: "4a5f", status: "Pull complete", current: 4_000_000, total: 4_000_000) == true
        )
        #expect(progress.lines(width: 60) == ["4a5f: Pull complete"])
    }

    @Test(arguments: [1, 10, 20, 40, 80, 300])
    func noLineIsWiderThanTheTerminal(_ width: Int) {
        var progress = Progress()
        progress.update(id: "0123456789ab", status: "Downloading", current: 1, total: .max)
        progress.update(id: "", status: String(repeating: "s", count: 100), current: 0, total: 0)
        #expect(progress.lines(width: width).allSatisfy { $0.count <= width })
    }

    @Test func onlyChangedLinesAreDrawnAgain() {
        var block = ScreenBlock()
        #expect(block.replace(with: ["a", "b"]) == "\r\u{1b}[2Ka\n\r\u{1b}[2Kb\n")
        #expect(block.replace(with: ["a", "c"]) == "\u{1b}[2A\u{1b}[1B\r\u{1b}[2Kc\n")
        #expect(block.replace(with: []) == "\u{1b}[2A\u{1b}[J")
    }
}

@Suite struct OptionTextTests {
    private let here = ["HOME": "/root"]

    @Test func environmentFilesAreRead() throws {
        let text = "# comment\nA=1\n\n  B=two words \r\nHOME\nABSENT\nC=\n"
        let lines = try OptionText.environmentFile(text) { here[$0] }
        #expect(lines == ["A=1", "B=two words ", "HOME=/root", "C="])
        #expect(try OptionText.environmentFile("\u{feff}A=1") { here[$0] } == ["A=1"])
        #expect(throws: Failure.self) { try OptionText.environmentFile("=x") { here[$0] } }
        #expect(throws: Failure.self) { try OptionText.environmentFile("A B=x") { here[$0] } }
    }

    @Test func volumesAreRead() throws {
        let plain = try VolumeOption("/a:/b", workingDirectory: "/w")
        #expect(
            plain.source == "/a" && plain.target == "/b" && !plain.isReadOnly && plain.propagation.isEmpty
        )
        let full = try VolumeOption("./a:/b:ro,rslave", workingDirectory: "/w")
        #expect(full.source == "/w/./a" && full.isReadOnly && full.propagation == "rslave")
    }

    @Test(arguments: ["", "/a", ":/b", "/a:b", "/a:/", "name:/b", "/a:/b:xx", "/a:/b:ro:rw"])
    func wrongVolumesAreRefusedWithAdvice(_ text: String) {
        #expect { try VolumeOption(text, workingDirectory: "/w") } throws: { error in
            (error as? Failure).map { $0.exitCode == 125 && !$0.advice.isEmpty } ?? false
        }
    }

    @Test func restartPoliciesAreRead() throws {
        #expect(try RestartOption("no").name == "no")
        #expect(try RestartOption("on-failure:3").maximumRetries == 3)
        for wrong in ["sometimes", "always:3", "on-failure:x", "on-failure:-1"] {
            #expect(throws: Failure.self) { try RestartOption(wrong) }
        }
    }

    @Test func imageNamesAreTakenApart() {
        let name = ImageName("localhost:5000/a/web:1.2@sha256:0f")
        #expect(name.repository == "localhost:5000/a/web" && name.tag == "1.2" && name.digest == "sha256:0f")
        #expect(ImageName("localhost:5000/web").repository == "localhost:5000/web")
        #expect(ImageName("<none>").tag == "<none>")
    }

    @Test(arguments: [
        ("rnu", "run"), ("imagse", "images"), ("exce", "exec"), ("pss", "ps"), ("lgos", "logs"),
    ])
    func typingErrorsAreRecognised(_ word: String, _ meant: String) {
        #expect(Suggestion.nearest(to: word, in: ["run", "images", "exec", "ps", "logs"]) == meant)
    }

    @Test func strangeWordsAreNot() {
        #expect(Suggestion.nearest(to: "frobnicate", in: ["run", "ps"]) == nil)
        #expect(Suggestion.nearest(to: "x", in: ["ps"]) == nil)
    }

    @Test func failuresReadInOrder() {
        #expect(
            Failure("run web", "no such image", advice: "pull it").lines == [
                "petrel: run web: no such image", "pull it",
            ]
        )
        #expect(Failure("", "broken").lines == ["petrel: broken"])
    }

    @Test func outlinesLeaveOutWhatIsEmpty() {
        let document: JSON = [
            "ServerVersion": "1", "NCPU": 2, "Plugins": [:], "Runtimes": ["petrel": ["path": "x"]], "ID": "",
        ]
        #expect(
            Outline.lines(of: document) == [
                "Server Version: 1", "NCPU: 2", "Runtimes:", " petrel:", "  path: x",
            ]
        )
        let memory: JSON = ["NCPU": 2, "MemTotal": 1_610_612_736]
        #expect(
            Outline.lines(
                of: memory,
                labels: ["NCPU": "CPUs", "MemTotal": "Total Memory"],
                sizes: ["MemTotal"]
            )
                == ["CPUs: 2", "Total Memory: 1.5GiB"]
        )
    }

    @Test(arguments: [
        ("sh -c 'x'", #""sh -c 'x'""#), ("a \"b\" \\", #""a \"b\" \\""#),
        ("a\nb\tc\u{1b}", #""a\nb\tc\x1b""#),
        ("é…", "\"é…\""),
    ])
    func quotedTextEndsWhereItEnds(_ text: String, _ quoted: String) { #expect(Quoted.text(text) == quoted) }
}
