// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TestSupport

/// `petrel rpc`, with the real daemons.
@Suite(.serialized, .needsRoot)
struct RPCCommandTests {
    /// The JSON values that a command has printed one after another.
    private func values(_ outcome: Outcome) throws -> [Document] {
        // Each begins with a line that has a brace alone.
        var texts: [String] = []
        for line in outcome.lines {
            if line == "{" || line == "{}" { texts.append("") }
            guard !texts.isEmpty else { throw CommandFailed(outcome: outcome) }
            texts[texts.count - 1] += line + "\n"
        }
        return try texts.map { try Document($0) }
    }

    @Test func everyDaemonTellsWhatItServes() throws {
        try withSuite(image: false) { suite in
            let reflection = [
                "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection",
            ]
            for (daemon, own) in [
                (
                    "engine",
                    ["petrel.engine.v1.Containers", "petrel.engine.v1.Images", "petrel.engine.v1.System"]
                ),
                ("image-store", ["petrel.image.v1.ImageStore"]),
                ("runtime-supervisor", ["petrel.supervisor.v1.Supervisor"]),
            ] {
                let services = try suite.petrel("rpc", "list", "--daemon", daemon)
                #expect(services.lines == ["grpc.health.v1.Health"] + reflection + own, "\(services)")
                for service in services.lines {
                    let methods = try suite.petrel("rpc", "list", service, "--daemon", daemon)
                    #expect(methods.status == 0 && !methods.lines.isEmpty, "\(methods)")
                    #expect(methods.lines.allSatisfy { $0.hasPrefix(service + "/") }, "\(methods)")
                }
            }
            // The last part of a name is enough where it is clear.
            let methods = try suite.succeed("rpc", "list", "System")
            #expect(methods.contains("petrel.engine.v1.System/Version"))
        }
    }

    @Test func everySymbolIsDescribed() throws {
        try withSuite(image: false) { suite in
            let service = try suite.succeed("rpc", "describe", "petrel.engine.v1.System")
            #expect(service.contains("\nservice System {\n"))
            #expect(
                service.contains(
                    "  rpc Events(petrel.engine.v1.EventsRequest) returns (stream petrel.engine.v1.Event);"
                )
            )
            let method = try suite.succeed("rpc", "describe", "System/Version")
            #expect(method.contains("\nmessage VersionRequest {}\n"))
            #expect(method.contains("  map<string, string> components = 6;"))
            #expect(
                try suite.succeed("rpc", "describe", "petrel.common.v1.ErrorDetail").contains(
                    "int32 errno = 4;"
                )
            )
            let unknown = try suite.petrel("rpc", "describe", "petrel.engine.v1.Sistem")
            #expect(unknown.status == 2 && unknown.stdout.isEmpty, "\(unknown)")
            #expect(unknown.stderr.contains("Did you mean 'petrel.engine.v1.System'?"), "\(unknown)")
            let several = try suite.petrel("rpc", "describe", "List")
            #expect(
                several.status == 2 && several.stderr.contains("petrel.engine.v1.Containers.List"),
                "\(several)"
            )
        }
    }

    @Test func unaryCallsAreJSONInAndOut() throws {
        try withSuite(image: false) { suite in
            let version = try values(suite.petrel("rpc", "call", "petrel.engine.v1.System/Version"))
            #expect(version.count == 1)
            #expect(
                try version[0]["version"].string == suite.succeed("version", "-f", "{{.Server.Version}}")
            )
            #expect(version[0]["components"].keys?.isEmpty == false)
            // From standard input, and for another daemon; a timeout is no problem.
            let input = ChildProcess.Stdin.bytes(Array(#"{"service": "petrel.image.v1.ImageStore"}"#.utf8))
            let health = ["rpc", "call", "Health/Check", "-", "--daemon", "image-store", "--timeout", "20s"]
            #expect(try values(suite.petrel(health, stdin: input))[0]["status"].string == "SERVING")
            let defaults = try suite.petrel(
                "rpc",
                "call",
                "Containers/List",
                #"{"all": true}"#,
                "--emit-defaults"
            )
            #expect(try values(defaults)[0]["containers"].array?.isEmpty == true, "\(defaults)")
        }
    }

    @Test func streamsAreJSONValuesAsTheyCome() throws {
        try withSuite { suite in
            try suite.succeed("run", "--name", "t", "busybox", "true")
            let until = Int(Date().timeIntervalSince1970 * 1e9)
            let events = try suite.petrel(
                "rpc",
                "call",
                "System/Events",
                #"{"sinceUnixNanos": "1", "until_unix_nanos": "\#(until)", "filters": ["container=t"]}"#
            )
            let actions = try values(events).compactMap { $0["action"].string }
            #expect(events.status == 0 && actions.contains("create") && actions.contains("die"), "\(events)")

            // One that has no end, cut by the deadline: what came before is there.
            let watch = try suite.petrel("rpc", "call", "Health/Watch", "--timeout", "1s", "-v")
            #expect(watch.status == 1, "\(watch)")
            #expect(try values(watch).map { $0["status"].string } == ["SERVING"])
            #expect(
                watch.stderr.contains("DEADLINE_EXCEEDED") && watch.stderr.contains("< trailers"),
                "\(watch)"
            )

            // Both ways: several values are several messages.
            let answers = try suite.petrel(
                "rpc",
                "call",
                "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
                #"{"listServices": ""} {"fileByFilename": "nope.proto"}"#
            )
            let found = try values(answers)
            #expect(found.count == 2, "\(answers)")
            #expect(found[0]["listServicesResponse"]["service"].array?.count == 6, "\(answers)")
            #expect(found[1]["errorResponse"]["errorCode"].int == 5, "\(answers)")
        }
    }

    @Test func aRefusalIsShownWithItsDetails() throws {
        try withSuite(image: false) { suite in
            let outcome = try suite.petrel("rpc", "call", "Containers/Inspect", #"{"object": "nobody"}"#)
            #expect(outcome.status == 1 && outcome.stdout.isEmpty, "\(outcome)")
            #expect(
                outcome.stderr.hasPrefix("petrel: rpc call Containers/Inspect: NOT_FOUND: "),
                "\(outcome)"
            )
            let detail = try #require(
                outcome.stderr.split(separator: "\n").first { $0.hasPrefix("detail: ") }
            )
            let json = try Document(String(detail.dropFirst("detail: ".count)))
            #expect(json["@type"].string == "type.googleapis.com/petrel.common.v1.ErrorDetail", "\(outcome)")
            #expect(
                json["subject"].string == "nobody" && json["reason"].string?.isEmpty == false,
                "\(outcome)"
            )
        }
    }

    /// Nothing is sent, and what may have been meant is said.
    @Test func mistakesAreToldBeforeTheCall() throws {
        try withSuite(image: false) { suite in
            for (words, what, advice) in [
                (
                    ["call", "System/Verzion"], "petrel.engine.v1.System has no method 'Verzion'",
                    "Did you mean 'petrel.engine.v1.System/Version'?"
                ),
                (
                    ["call", "Sistem/Version"], "the server has no service 'Sistem'",
                    "Did you mean 'petrel.engine.v1.System'?"
                ),
                (["call", "Version"], "'Version' is no method", "Write SERVICE/METHOD"),
                (["call", "Containers/List", #"{"all": true"#], "not JSON: line 1", ""),
                (
                    ["call", "Containers/List", #"{"al": true}"#],
                    "al: petrel.engine.v1.ListRequest has no such field", "Did you mean 'all'?"
                ),
                (
                    ["call", "Containers/List", #"{"all": 1}"#], "all: expected true or false, found 1",
                    "See 'petrel rpc describe petrel.engine.v1.ListRequest'."
                ),
                (["call", "Containers/List", "{} {}"], "the method takes one message", ""),
                (["call", "Containers/List", "--timeout", "soon"], "--timeout 'soon'", "Write 500ms"),
                (["call", "Containers/List", "--metadata", "x"], "--metadata 'x'", "Write NAME:VALUE."),
                (
                    ["call", "Containers/List", "--nope"], "unknown flag: --nope",
                    "See 'petrel rpc call --help'."
                ),
                (["list", "--daemon", "engin"], "no daemon is called 'engin'", "Did you mean engine?"),
                (
                    ["list", "--daemon", "init"], "petrel-init does not speak gRPC",
                    "See 'petrel system status'."
                ),
                (["list", "--daemon", "engine", "--address", "unix:x"], "give --daemon or --address", ""),
                (["list", "--address", "nowhere"], "is no address", "Write unix:PATH or HOST:PORT."),
            ] {
                let outcome = try suite.petrel(["rpc"] + words)
                #expect(outcome.status == 2 && outcome.stdout.isEmpty, "\(outcome)")
                #expect(outcome.stderr.contains(what), "\(outcome)")
                #expect(advice.isEmpty || outcome.stderr.contains(advice), "\(outcome)")
            }
            let absent = try suite.petrel("rpc", "list", "--address", "unix:\(suite.run)/absent.sock")
            #expect(absent.status == 1 && absent.stderr.contains("no server at"), "\(absent)")
        }
    }

    @Test func shellsCompleteWhatTheServerTells() throws {
        try withSuite(image: false) { suite in
            let methods = try suite.petrel("__complete", "--", "rpc", "call", "System/V")
            #expect(methods.lines == ["System/Version"], "\(methods)")
            let services = try suite.petrel(
                "__complete",
                "--",
                "rpc",
                "list",
                "--daemon",
                "runtime-supervisor",
                "petrel."
            )
            #expect(services.lines == ["petrel.supervisor.v1.Supervisor"], "\(services)")
        }
    }
}

/// `petrel rpc` and grpcio: each understands what the other tells about itself.
@Suite(.serialized, .needsRoot, .needsTestPython)
struct ReflectionInteropTests {
    private func python(_ arguments: String...) throws -> (program: String, arguments: [String]) {
        ("/usr/bin/env", [try #require(testPython)] + arguments)
    }

    private func withServer(_ script: String, _ body: (String) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            let socket = directory + "/socket"
            let (program, arguments) = try python(repository + "/Tests/Interop/" + script, "serve", socket)
            let server = try ChildProcess(program, arguments)
            try eventually("a server at \(socket)") { server.output == "ready\n" || !server.isRunning }
            try #require(server.isRunning, "the server has ended: \(server.errorOutput)")
            try body("unix:" + socket)
        }
    }

    private func petrel(_ arguments: String...) throws -> Outcome { try run(binaries + "/petrel", arguments) }

    @Test func grpcioReadsOurDefinitions() throws {
        try withSuite(image: false) { suite in
            let script = repository + "/Tests/Interop/reflection.py"
            let socket = suite.run + "/engine.sock"
            let listing = try python(script, "services", socket)
            let services = try succeed(listing.program, listing.arguments)
            #expect(try services.text == suite.succeed("rpc", "list"))
            let reading = try python(script, "methods", socket, "petrel.engine.v1.System")
            let methods = try succeed(reading.program, reading.arguments)
            #expect(
                methods.lines.contains(
                    "Version petrel.engine.v1.VersionRequest petrel.engine.v1.VersionResponse"
                )
            )
        }
    }

    /// It has v1alpha alone.
    @Test func weReadGrpciosDefinitions() throws {
        try withServer("reflection.py") { address in
            let methods = try petrel("rpc", "list", "TestService", "--address", address)
            #expect(methods.lines.contains("grpc.testing.TestService/FullDuplexCall"), "\(methods)")
            let call = try petrel(
                "rpc",
                "call",
                "TestService/UnaryCall",
                #"{"responseSize": 3}"#,
                "--address",
                address
            )
            #expect(try Document(call.stdout)["payload"]["body"].string == "AAAA", "\(call)")
            let refusal = try petrel(
                "rpc",
                "call",
                "TestService/UnaryCall",
                #"{"responseStatus": {"code": 7, "message": "not for you"}}"#,
                "--address",
                address
            )
            #expect(
                refusal.status == 1 && refusal.stderr.contains("PERMISSION_DENIED: not for you"),
                "\(refusal)"
            )
        }
    }

    @Test func aServerWithoutReflectionIsTold() throws {
        try withServer("interop.py") { address in
            for words in [["list"], ["describe", "x"], ["call", "grpc.testing.TestService/EmptyCall"]] {
                let outcome = try run(binaries + "/petrel", ["rpc"] + words + ["--address", address])
                #expect(outcome.status == 1 && outcome.stdout.isEmpty, "\(outcome)")
                #expect(outcome.stderr.contains("does not offer reflection"), "\(outcome)")
            }
        }
    }
}
