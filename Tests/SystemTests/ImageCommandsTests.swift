// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TestSupport

/// tag, history, prune, df, and the filters and formats of lists.
@Suite(.serialized, .needsRoot)
struct ImageCommandsTests {
    @Test func imagesAreTaggedListedAndResolvedAsDockers() throws {
        try withSuite { suite in
            let id = try suite.succeed("images", "-q", "--no-trunc")
            #expect(try suite.succeed("tag", "busybox", "localhost:5000/team/box:1.0") == "")
            try suite.succeed("image", "tag", String(id.dropFirst(7).prefix(6)), "other")
            func names(_ arguments: String...) throws -> [String] {
                let format = ["images", "--format", "{{.Repository}}:{{.Tag}}"]
                return try suite.petrel(format + arguments).lines.sorted()
            }
            #expect(try names() == ["busybox:latest", "localhost:5000/team/box:1.0", "other:latest"])
            #expect(try names("busybox") == ["busybox:latest"])
            #expect(try names("docker.io/library/busybox") == ["busybox:latest"])
            #expect(try names("--filter", "reference=*/*/*:1.?") == ["localhost:5000/team/box:1.0"])
            #expect(try names("--filter", "dangling=true") == [])
            #expect(try names("--filter", "label=no.such") == [])
            #expect(try names("--filter", "until=1h").count + names("--filter", "since=busybox").count <= 3)
            #expect(try names("--filter", "before=busybox") == [])
            let images = [
                "docker.io/library/busybox:latest", "other", "localhost:5000/team/box:1.0", id,
                String(id.dropFirst(7).prefix(12)),
            ]
            for name in images {
                #expect(try suite.succeed("image", "inspect", "-f", "{{.Id}}", name) == id)
            }
        }
    }

    @Test func namesAreCheckedAndTold() throws {
        try withSuite { suite in
            let id = try suite.succeed("images", "-q", "--no-trunc")
            try suite.succeed("tag", "busybox", "localhost:5000/team/box:1.0")
            try suite.succeed("tag", "busybox", "other")
            let unknown = try suite.petrel("images", "--filter", "nonsense=1")
            #expect(
                unknown.status == 1 && unknown.stderr.contains("invalid filter \"nonsense=1\""),
                "\(unknown)"
            )
            for bad in [["tag", "busybox", "UPPER"], ["tag", "none", "x"], ["tag", "busybox", "a@" + id]] {
                let outcome = try suite.petrel(bad)
                #expect(outcome.status == 1 && outcome.stderr.hasPrefix("petrel: tag "), "\(outcome)")
            }
            let untagged = try suite.succeed("rmi", "--no-prune", "other")
            #expect(untagged == "Untagged: other:latest")
            try suite.succeed("rmi", "localhost:5000/team/box:1.0")
            let told = try suite.petrel(
                "events",
                "--since",
                "1",
                "--until",
                "0s",
                "--filter",
                "type=image",
                "--format",
                "{{.Action}} {{.Actor.Attributes.name}}"
            )
            #expect(
                told.lines.suffix(4) == [
                    "tag localhost:5000/team/box:1.0", "tag other:latest", "untag other:latest",
                    "untag localhost:5000/team/box:1.0",
                ],
                "\(told)"
            )
        }
    }

    @Test func aPlatformIsAskedFor() throws {
        try withSuite(image: false) { suite in
            #if arch(arm64)
                let (own, foreign) = ("linux/arm64", "linux/amd64")
            #else
                let (own, foreign) = ("linux/amd64", "linux/arm64")
            #endif
            let archive = try busyboxArchive.get()
            let other = try suite.petrel("load", "--platform", foreign, "-i", archive)
            #expect(other.status == 1 && other.stderr.contains("nothing for \(foreign)"), "\(other)")
            #expect(try suite.succeed("images", "-q") == "")
            let bad = try suite.petrel("load", "--platform", "nonsense", "-i", archive)
            #expect(bad.status == 1 && bad.stderr.contains("nonsense"), "\(bad)")
            try suite.succeed("load", "--platform", own, "-i", archive)
            for command in [["image", "inspect"], ["history"], ["rmi"]] {
                let refused = try suite.petrel(command + ["--platform", foreign, "busybox"])
                #expect(refused.status == 1, "\(refused)")
                #expect(refused.stderr.contains("wanted \(foreign), actual: \(own)"), "\(refused)")
                let allowed = try suite.petrel(command + ["--platform", own, "busybox"])
                #expect(allowed.status == 0, "\(allowed)")
            }
            #expect(try suite.succeed("images", "-q") == "")
        }
    }

    @Test func historyHasAStepForEachLayer() throws {
        try withSuite { suite in
            let head = try #require(try suite.petrel("history", "busybox").lines.first)
            #expect(
                head.split(separator: " ").joined(separator: " ") == "IMAGE CREATED CREATED BY SIZE COMMENT"
            )
            let id = try suite.succeed("images", "-q", "--no-trunc")
            let rows = try suite.petrel("image", "history", "--no-trunc", "--format", "json", "busybox").lines
            #expect(try Document(#require(rows.first))["ID"].string == id)
            let bytes = try suite.succeed("history", "--human=false", "--format", "{{.Size}}", "busybox")
            let size = try suite.succeed("image", "inspect", "-f", "{{.Size}}", "busybox")
            #expect(bytes.split(separator: "\n").compactMap { Int($0) }.reduce(0, +) == Int(size))
            #expect(try suite.petrel("history", "none").status == 1)
        }
    }

    @Test func pruningTakesWhatNobodyUses() throws {
        try withSuite { suite in
            try suite.succeed("tag", "busybox", "spare:1")
            let nothing = try suite.succeed("image", "prune", "-f")
            #expect(nothing == "Total reclaimed space: 0B")
            try suite.startShell("user", "sleep 1000")
            #expect(try suite.succeed("image", "prune", "-a", "-f") == "Total reclaimed space: 0B")
            try suite.succeed("rm", "-f", "user")
            let kept = try suite.succeed("image", "prune", "-a", "-f", "--filter", "label=keep")
            #expect(kept == "Total reclaimed space: 0B")
            let asked = try suite.petrel("image", "prune", "-a", stdin: .bytes(Array("n\n".utf8)))
            #expect(asked.status == 0 && asked.stdout.contains("[y/N]"), "\(asked)")
            #expect(try suite.succeed("images", "-q").count == 12)
            let pruned = try suite.petrel("image", "prune", "-a", stdin: .bytes(Array("y\n".utf8)))
            #expect(
                pruned.stdout.contains("untagged: busybox:latest")
                    && pruned.stdout.contains("untagged: spare:1")
            )
            #expect(pruned.stdout.contains("deleted: sha256:"), "\(pruned)")
            #expect(pruned.lines.last?.hasPrefix("Total reclaimed space: ") == true, "\(pruned)")
            #expect(pruned.lines.last?.hasSuffix(": 0B") == false, "\(pruned)")
            #expect(try suite.succeed("images", "-q") == "")
        }
    }

    @Test func theDisksUseIsToldAndSystemPruneFreesIt() throws {
        try withSuite { suite in
            try suite.succeed(
                "run",
                "--name",
                "writer",
                "busybox",
                "sh",
                "-c",
                "dd if=/dev/zero of=/f bs=1000000 count=3"
            )
            try suite.startShell("runs", "sleep 1000")
            let types = try suite.petrel("system", "df", "--format", "{{.Type}}: {{.TotalCount}} {{.Active}}")
                .lines
            #expect(types.prefix(2) == ["Images: 1 1", "Containers: 2 1"])
            let verbose = try suite.petrel("system", "df", "-v")
            #expect(
                verbose.stdout.contains("Images space usage:") && verbose.stdout.contains("writer"),
                "\(verbose)"
            )
            let size = try suite.succeed("ps", "-a", "--filter", "name=^writer$", "--format", "{{.Size}}")
            #expect(size.hasPrefix("3") && size.contains("MB (virtual "), "\(size)")
            #expect(try suite.petrel("ps", "-s").lines.first?.hasSuffix("SIZE") == true)
            let id = try suite.id(of: "writer")
            let pruned = try suite.petrel("system", "prune", "-f")
            #expect(pruned.stdout.hasPrefix("Deleted Containers:\n\(id)\n"), "\(pruned)")
            #expect(pruned.lines.last?.hasPrefix("Total reclaimed space: 3") == true, "\(pruned)")
            #expect(try suite.containers().count == 1)
            #expect(try suite.status(of: "runs") == "running")
        }
    }

    @Test func containersAreFilteredAsDockers() throws {
        try withSuite { suite in
            try suite.startShell("first", "sleep 1000", options: ["-l", "tier=front", "-l", "a"])
            try suite.petrel("run", "--name", "second", "-v", "/tmp:/t", "busybox", "sh", "-c", "exit 3")
            try suite.succeed("create", "--name", "third", "--network", "host", "busybox")
            func names(_ filters: String..., more: [String] = ["-a"]) throws -> [String] {
                let arguments =
                    ["ps", "--format", "{{.Names}}"] + more + filters.flatMap { ["--filter", $0] }
                return try suite.petrel(arguments).lines.sorted()
            }
            #expect(try names() == ["first", "second", "third"])
            #expect(try names(more: []) == ["first"])
            #expect(try names("name=ir") == ["first", "third"])
            #expect(try names("name=^/first$") == ["first"])
            #expect(try names("id=" + suite.id(of: "third").prefix(12)) == ["third"])
            #expect(try names("exited=3", more: []) == ["second"])
            #expect(try names("status=created", "status=running", more: []) == ["first", "third"])
            #expect(try names("label=tier=front", "label=a") == ["first"])
            #expect(try names("label=tier=back") == [])
            #expect(try names("ancestor=busybox") == ["first", "second", "third"])
            #expect(try names("ancestor=alpine") == [])
            #expect(try names("before=second") == ["first"])
            #expect(try names("since=first") == ["second", "third"])
            #expect(try names("volume=/tmp") == ["second"])
            #expect(try names("network=host") == ["third"])
            #expect(try names(more: ["-l"]) == ["third"])
            #expect(try names(more: ["-n", "2"]) == ["second", "third"])
            #expect(try names(more: ["-n", "-1"]) == ["first"])
            #expect(try names(more: ["--all=true"]).count == 3)
            #expect(try names(more: ["--all=false"]) == ["first"])
            for bad in ["nonsense=1", "status=odd", "exited=x", "name=[", "noequals"] {
                let outcome = try suite.petrel("ps", "--filter", bad)
                #expect(
                    outcome.status == 1 && outcome.stderr.contains("invalid filter \"\(bad)\""),
                    "\(outcome)"
                )
            }
            #expect(try suite.petrel("ps", "--filter", "before=nobody").status == 1)
            let table = try suite.petrel(
                "ps",
                "-a",
                "--format",
                #"table {{.Names}}\t{{.Label "tier"}}\t{{upper .State}}"#
            )
            #expect(table.lines.first == "NAMES     tier      STATE")
            #expect(table.lines.contains("first     front     RUNNING"), "\(table)")
            let wrong = try suite.petrel("ps", "--format", "{{.Nmaes}}")
            #expect(wrong.status == 1 && wrong.stderr.contains("'.Names'"), "\(wrong)")
        }
    }

    @Test func templatesReachIntoInspection() throws {
        try withSuite { suite in
            try suite.startShell("t", "sleep 1000", options: ["-v", "/tmp:/t:ro", "-l", "one=1"])
            func inspect(_ template: String) throws -> String {
                try suite.succeed("inspect", "-f", template, "t")
            }
            #expect(
                try inspect(#"{{range .Mounts}}{{.Source}}:{{.Destination}}{{if not .RW}}:ro{{end}}{{end}}"#)
                    == "/tmp:/t:ro"
            )
            #expect(try inspect(#"{{index .Config.Labels "one"}}{{index .Config.Labels "two"}}"#) == "1")
            #expect(
                try inspect(#"{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}"#) == "none"
            )
            #expect(try inspect(#"{{join .Config.Cmd "|"}}"#) == "sh|-c|sleep 1000")
            #expect(
                try inspect("{{json .State.Running}} {{.State.Status | upper | printf \"%-8s|\"}}")
                    == "true RUNNING |"
            )
            let wrong = try suite.petrel("container", "inspect", "-f", "{{.State.Pidd}}", "t")
            #expect(wrong.status == 1 && wrong.stderr.contains("'.Pid'"), "\(wrong)")
            #expect(try suite.petrel("container", "inspect", "busybox").status == 1)
            let info = try suite.succeed("info", "--format", "{{.ContainersRunning}} {{json .Driver}}")
            #expect(info == "1 \"overlay\"")
            #expect(try suite.succeed("system", "info", "-f", "{{.Containers}}") == "1")
            #expect(try suite.succeed("version", "-f", "{{.Client.Version}}").isEmpty == false)
        }
    }
}
