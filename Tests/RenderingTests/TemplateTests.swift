// SPDX-License-Identifier: Apache-2.0
import JSON
import Rendering
import Testing

@Suite struct TemplateTests {
    private static let object: JSON = [
        "Name": "web", "Count": 3, "Big": 2.5, "On": true, "Off": false, "Nothing": .null, "Empty": [],
        "State": ["Pid": 7, "Running": true, "Status": "running"],
        "Args": ["a", "b", "c"],
        "Labels": ["one": "1", "two": "2"],
        "Mounts": [["Source": "/a", "RW": true], ["Source": "/b", "RW": false]],
    ]

    private func text(_ template: String) throws -> String {
        try Template(template).text(of: Self.object, labels: { $0 == "one" ? "1" : "" })
    }

    @Test(arguments: [
        ("{{.Name}}", "web"),
        ("a{{.State.Pid}}b", "a7b"),
        ("{{json .}}", "{"),
        ("{{json .Args}}", #"["a","b","c"]"#),
        ("{{ json .State }}", #"{"Pid":7,"Running":true,"Status":"running"}"#),
        ("{{.Args}} {{.Labels}} {{.Nothing}} {{.Big}}", "[a b c] map[one:1 two:2] <nil> 2.5"),
        ("{{index .Args 1}}", "b"),
        (#"{{index .Labels "two"}}{{index .Labels "none"}}"#, "2"),
        (#"{{index .Mounts 1 "Source"}}"#, "/b"),
        ("{{(index .Mounts 0).Source}}", "/a"),
        ("{{len .Args}} {{len .Name}} {{len .Labels}}", "3 3 2"),
        ("{{range .Args}}<{{.}}>{{end}}", "<a><b><c>"),
        ("{{range .Empty}}x{{else}}none{{end}}", "none"),
        ("{{range $i, $e := .Args}}{{$i}}={{$e}};{{end}}", "0=a;1=b;2=c;"),
        ("{{range $k, $v := .Labels}}{{$k}}:{{$v}} {{end}}", "one:1 two:2 "),
        ("{{range .Mounts}}{{.Source}}{{if .RW}}+{{else}}-{{end}}{{end}}", "/a+/b-"),
        ("{{range .Args}}{{if eq . \"b\"}}{{continue}}{{end}}{{.}}{{end}}", "ac"),
        ("{{range .Args}}{{if eq . \"b\"}}{{break}}{{end}}{{.}}{{end}}", "a"),
        ("{{range 3}}{{.}}{{end}}", "012"),
        ("{{if .Off}}1{{else if .On}}2{{else}}3{{end}}", "2"),
        ("{{if .Missing}}1{{end}}", ""),
        ("{{with .State}}{{.Pid}}{{$.Name}}{{end}}", "7web"),
        ("{{with .Missing}}x{{else}}y{{end}}", "y"),
        ("{{with $x := .State}}{{$x.Pid}}{{end}}", "7"),
        (#"{{join .Args ", "}}"#, "a, b, c"),
        (#"{{upper .Name}} {{lower "AB"}} {{title "two words"}}"#, "WEB ab Two Words"),
        (#"{{range split "a:b" ":"}}[{{.}}]{{end}}"#, "[a][b]"),
        ("{{println .Name .Count}}", "web 3\n"),
        (
            #"{{printf "%s-%03d %q %5.2f|%-5s|%v" .Name .Count .Name .Big .Name .Args}}"#,
            #"web-003 "web"  2.50|web  |[a b c]"#
        ),
        (#"{{printf "%x %X %o %t %%" 255 255 8 true}}"#, "ff FF 10 true %"),
        ("{{.Name | upper | printf \"<%s>\"}}", "<WEB>"),
        (
            #"{{eq .Name "web"}} {{ne .Count 3}} {{lt .Count 4}} {{ge .Count 4}} {{eq .Count 1 2 3}}"#,
            "true false true false true"
        ),
        ("{{and .On .Name}} {{or .Off .Name}} {{not .Off}}", "web web true"),
        ("{{$x := 1}}{{if .On}}{{$x = 2}}{{end}}{{$x}}", "2"),
        ("{{$x := 1}}{{if .On}}{{$x := 2}}{{end}}{{$x}}", "1"),
        ("a {{- .Name -}} b", "awebb"),
        ("{{/* nothing */}}x", "x"),
        ("{{`raw`}}{{\"q\\n\"}}", "rawq\n"),
        ("{{\"\\u00e9\\x41\\U0001F600\\a\"}}", "\u{e9}A\u{1F600}\u{7}"),
        (#"{{.Label "one"}}"#, "1"),
        ("{{slice .Name 1 2}}{{truncate .Name 2}}{{pad .Name 1 2}}", "ewe web  "),
        ("{{.Labels.absent}}", "<no value>"),
        (#"{{if and .State (eq .State.Status "running")}}up{{end}}"#, "up"),
    ])
    func givesWhatGoGives(_ template: String, _ expected: String) throws {
        let found = try text(template)
        #expect(expected == "{" ? found.hasPrefix("{") : found == expected)
    }

    @Test(arguments: [
        "{{.A", "{{A}}", "{{}}", "{{range .A}}", "{{if .A}}", "{{end}}", "{{else}}", "{{.A .B}}", "{{\"x}}",
        "{{`x}}", "{{define \"x\"}}{{end}}", "{{template \"x\"}}", "{{.A | }}", "{{(.A}}", "{{.A)}}",
        "{{$x}}",
        "{{break}}", "{{1 2}}", "{{#}}", "{{call .A}}", "{{$a, $b := .A}}",
        "{{if .A}}{{else}}{{else}}{{end}}",
    ])
    func saysWhatItDoesNotUnderstand(_ template: String) {
        #expect { try self.text(template) } throws: { error in
            guard let failure = error as? Failure else { return false }
            return failure.what.hasPrefix("--format '") && !failure.why.isEmpty && !failure.advice.isEmpty
                && failure.lines.allSatisfy { !$0.contains("\n") || template.contains("\n") }
        }
    }

    @Test(arguments: [
        "{{index .Args 9}}", "{{len .Count}}", "{{join .Name 1}}", "{{range .Name}}{{end}}", "{{.Name.More}}",
        "{{lt .Name .Count}}", "{{printf \"%d\" .Name}}", "{{printf \"%s\"}}", "{{printf \"%s\" 1 2}}",
        "{{printf \"%2000d\" 1}}", "{{slice .Name 2 9}}", "{{index .Name 1}}", "{{pad .Name 1 100000}}",
    ])
    func saysWhatCannotBeDone(_ template: String) {
        #expect(throws: Failure.self) { try self.text(template) }
    }

    @Test func aFieldThatIsNotThereIsAMistakeWhereItIsPrinted() throws {
        let template = try Template("{{.Nmae}}")
        #expect(throws: Failure.self) { try template.text(of: Self.object, isStrict: true) }
        #expect(try template.text(of: Self.object) == "<no value>")
        do {
            _ = try template.text(of: Self.object, isStrict: true)
        } catch {
            #expect(error.why.contains("'.Name'"), "\(error)")
        }
        let open = try Template("{{.Labels.none}}{{if .Health}}x{{end}}{{with .Health}}y{{end}}")
        #expect(try open.text(of: Self.object, isStrict: true) == "<no value>")
    }

    @Test func isBounded() throws {
        let deep = String(repeating: "{{if .On}}", count: 60) + String(repeating: "{{end}}", count: 60)
        #expect(throws: Failure.self) { try Template(deep) }
        let brackets =
            "{{" + String(repeating: "(", count: 60) + ".On" + String(repeating: ")", count: 60) + "}}"
        #expect(throws: Failure.self) { try Template(brackets) }
        let elses = "{{if .Off}}" + String(repeating: "{{else if .Off}}", count: 60) + "{{end}}"
        #expect(throws: Failure.self) { try Template(elses) }
        #expect(throws: Failure.self) { try Template(String(repeating: "x", count: 70_000)) }
        #expect(throws: Failure.self) { try self.text("{{range 100000}}{{range 100000}}{{end}}{{end}}") }
        let long = String(repeating: "x", count: 1000)
        #expect(throws: Failure.self) { try self.text("{{range 100000}}\(long){{end}}") }
    }
}

@Suite struct FittedTableTests {
    @Test func aTableFitsTheTerminalAndIsWholeElsewhere() {
        var table = Table(["CONTAINER ID", "IMAGE", "COMMAND", "NAMES"])
        table.add([
            "0123456789ab", String(repeating: "i", count: 40), String(repeating: "c", count: 30), "web",
        ])
        let fitted = table.lines(width: 60)
        #expect(fitted.allSatisfy { $0.count <= 60 }, "\(fitted)")
        #expect(
            fitted[1].hasPrefix("0123456789ab  ii") && fitted[1].hasSuffix("web") && fitted[1].contains("…")
        )
        #expect(table.lines == table.lines(width: nil) && table.lines[1].count > 80)
        #expect(table.lines(width: 200) == table.lines)
        // Narrower than the headings: every column is still there, cut too; then the line is.
        let narrow = table.lines(width: 26)
        #expect(narrow.allSatisfy { $0.count <= 26 }, "\(narrow)")
        #expect(narrow[0].split(separator: " ").count == 5 && narrow[1].hasSuffix("web"), "\(narrow)")
        // What people copy is whole for as long as it can be.
        #expect(narrow[1].hasPrefix("0123456789ab "), "\(narrow)")
        #expect(table.lines(width: 5).allSatisfy { $0.count <= 5 })
        #expect(table.lines(width: 0).allSatisfy { $0.count == 1 })
    }

    @Test func headingsOfTemplatesAreTheColumns() throws {
        let listing = Listing(
            columns: [.init("ID", "CONTAINER ID"), .init("Names", "NAMES")],
            rows: [["ID": "a", "Names": "web", "CreatedAt": "now"]],
            labels: [["tier": "front"]]
        )
        #expect(
            try listing.lines(format: #"table {{.ID}}\t{{upper .Names}}\t{{.CreatedAt}}\t{{.Label "tier"}}"#)
                == [
                    "CONTAINER ID   NAMES     CREATED AT   tier",
                    "a              WEB       now          front",
                ]
        )
        #expect(throws: Failure.self) { try listing.lines(format: "{{.Nmaes}}") }
    }
}
