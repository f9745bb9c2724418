// SPDX-License-Identifier: Apache-2.0
import Foundation
package import Testing

extension Trait where Self == ConditionTrait {
    /// The test needs the rights of root.
    package static var needsRoot: Self {
        .enabled(if: geteuid() == 0, "needs root")
    }

    /// The test needs a machine whose cgroups are version 2 alone, with controllers.
    package static var needsCgroup2: Self {
        .enabled(
            if: FileManager.default.fileExists(atPath: "/sys/fs/cgroup/cgroup.controllers"),
            "needs a unified cgroup hierarchy"
        )
    }

    /// The test needs version 1 control groups, alone or beside a version 2 tree.
    package static var needsLegacyCgroups: Self {
        .enabled(
            if: FileManager.default.fileExists(atPath: "/sys/fs/cgroup/memory/memory.limit_in_bytes"),
            "needs version 1 control groups"
        )
    }

    /// The test needs a program of this name in the PATH.
    package static func needsProgram(_ name: String) -> Self {
        .enabled(if: programPath(name) != nil, "needs the program \(name)")
    }
}

/// Where in the PATH a program is.
package func programPath(_ name: String) -> String? {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin"
    return path.split(separator: ":").map { "\($0)/\(name)" }
        .first { FileManager.default.isExecutableFile(atPath: $0) }
}

extension Trait where Self == ConditionTrait {
    /// The test needs a Python with the packages of Tests/Interop/requirements.txt.
    package static var needsTestPython: Self {
        .enabled(if: testPython != nil, "needs the program that PETREL_TEST_PYTHON names")
    }
}

/// The Python that `scripts/test` installs packages for.
package let testPython = ProcessInfo.processInfo.environment["PETREL_TEST_PYTHON"]
