// SPDX-License-Identifier: Apache-2.0
import ContainerInit
import System

/// petrel-container-init [--] PROGRAM [ARGUMENT…]: the first process of a container with `--init`.
@main
struct Main {
    static func main() {
        guard let process = FirstProcess(Array(CommandLine.arguments.dropFirst())) else {
            end("usage: petrel-container-init [--] PROGRAM [ARGUMENT...]", code: 125)
        }
        do throws(SystemError) {
            CurrentProcess.exit(try process.run())
        } catch {
            // As shells have it: not found, or not to be executed.
            end("petrel-container-init: \(error)", code: [2, 20].contains(error.code) ? 127 : 126)
        }
    }

    private static func end(_ line: String, code: Int32) -> Never {
        try? Files.writeAll(2, Array((line + "\n").utf8))
        CurrentProcess.exit(code)
    }
}
