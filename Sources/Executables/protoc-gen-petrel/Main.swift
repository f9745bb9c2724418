// SPDX-License-Identifier: Apache-2.0
internal import CodeGenerator
internal import System

/// A protoc plugin: request on stdin, response on stdout.
///
/// With the argument `--for-c` it writes the request for protobuf-c's compiler instead (see `scripts/generate`).
@main
struct Main {
    static func main() throws {
        let request = try Files.contents(of: 0, limit: 64 << 20, path: "stdin")
        let forC = CommandLine.arguments.dropFirst().first == "--for-c"
        let answer = forC ? try CodeGenerator.requestForC(request) : try CodeGenerator.respond(to: request)
        try Files.writeAll(1, answer)
    }
}
