// SPDX-License-Identifier: Apache-2.0
internal import System

/// A daemon waits nearly all its life: it should not hold the code that its start has run.
package enum SmallProgram {
    private static let afterStart = Duration.seconds(5)
    private static let pause = Duration.seconds(10)

    /// Lets go of the program's code now and then. Rightly endless; ends by cancellation.
    package static func keep() async throws {
        try await Task.sleep(for: afterStart)
        while true {
            ProgramMemory.releaseCode()
            ProgramMemory.releaseFree()
            try await Task.sleep(for: pause)
        }
    }
}
