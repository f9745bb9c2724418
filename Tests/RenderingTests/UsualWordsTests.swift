// SPDX-License-Identifier: Apache-2.0
import Rendering
import Testing

struct UsualWordsTests {
    private static func text(_ words: UsualWords) -> [String] {
        var text: [String] = []
        for option in words.options {
            text.append(option.value.map { value in "\(option.name)=\(value)" } ?? option.name)
        }
        return text + ["|", words.subject] + words.program
    }

    @Test(arguments: [
        (["busybox"], ["|", "busybox"]), (["--rm", "busybox", "true"], ["rm", "|", "busybox", "true"]),
        (["-d", "--name", "x", "busybox"], ["d", "name=x", "|", "busybox"]),
        (["-ite", "A=b", "busybox"], ["i", "t", "e=A=b", "|", "busybox"]),
        (["-iteA=b", "busybox"], ["i", "t", "e=A=b", "|", "busybox"]),
        (["-v/a:/b", "-v", "/c:/d", "busybox"], ["v=/a:/b", "v=/c:/d", "|", "busybox"]),
        (["--name=--sysctl", "busybox"], ["name=--sysctl", "|", "busybox"]),
        (["--name", "--sysctl", "busybox"], ["name=--sysctl", "|", "busybox"]),
        (["--env=A=b", "busybox"], ["env=A=b", "|", "busybox"]),
        (["-m", "-c", "busybox"], ["m=-c", "|", "busybox"]),
        (["busybox", "sh", "-c", "--", "--help"], ["|", "busybox", "sh", "-c", "--", "--help"]),
        (["-", "--sysctl"], ["|", "-", "--sysctl"]),
        (["--net=none", "busybox", ""], ["net=none", "|", "busybox", ""]),
    ])
    func theUsual(_ words: [String], _ read: [String]) throws {
        #expect(Self.text(try #require(UsualWords(words, UsualWords.run))) == read)
    }

    @Test(arguments: [
        [], ["-it"], ["--name"], ["--name", "x"], ["--name=", "busybox"], ["-e", "", "busybox"],
        ["-e=A", "busybox"],
        [""], ["--sysctl", "a=b", "busybox"], ["--rm", "--sysctl=a=b", "busybox"], ["-c", "512", "busybox"],
        ["-dc", "512", "busybox"], ["-itx", "busybox"], ["--rm=false", "busybox"], ["--d", "busybox"],
        ["--e", "A=b", "busybox"], ["--rmx"], ["--nam", "x", "busybox"], ["-e", "A=b", "--init", "busybox"],
        ["--help"], ["--rm", "--", "busybox"], ["busybox", "--", "sh"],
        ["--detach-keys", "ctrl-a", "busybox"],
        ["-é", "busybox"], ["--root", "/r", "busybox"], ["--=", "busybox"], ["---rm", "busybox"],
    ])
    func theRest(_ words: [String]) { #expect(UsualWords(words, UsualWords.run) == nil) }

    @Test(arguments: [
        ([], []), (["-a"], ["a"]), (["-aq", "--no-trunc"], ["a", "q", "no-trunc"]),
        (["-n5", "-f", "name=x", "--filter=id=1"], ["n=5", "f=name=x", "filter=id=1"]),
        (["--format", "{{.ID}}", "-l"], ["format={{.ID}}", "l"]),
    ])
    func optionsAlone(_ words: [String], _ read: [String]) throws {
        let options = try #require(UsualWords.options(words, UsualWords.ps))
        #expect(options.map { option in option.value.map { "\(option.name)=\($0)" } ?? option.name } == read)
    }

    @Test(arguments: [
        ["x"], ["-a", "x"], ["-x"], ["--"], ["-"], ["--format"], ["--format="], ["--all=no"], ["-f="],
    ])
    func moreThanOptions(_ words: [String]) { #expect(UsualWords.options(words, UsualWords.ps) == nil) }
}
