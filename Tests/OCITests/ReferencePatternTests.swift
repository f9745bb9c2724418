// SPDX-License-Identifier: Apache-2.0
import OCI
import Testing

@Suite struct ReferencePatternTests {
    @Test(arguments: [
        ("busybox", "busybox:latest", true), ("busybox:latest", "busybox:latest", true),
        ("busybox:1", "busybox:latest", false), ("busy", "busybox:latest", false),
        ("docker.io/library/busybox", "busybox:latest", true), ("busy*", "busybox:latest", true),
        ("*", "team/app:1", false), ("*/*", "team/app:1", true), ("team/*", "team/app:1", true),
        ("*:1", "app:1", true), ("app:?", "app:1", true), ("app:[0-3]", "app:2", true),
        ("app:[^0-3]", "app:2", false), ("app:\\*", "app:*", true),
        ("localhost:5000/*", "localhost:5000/app:1", true),
        ("*box:*t", "busybox:latest", true), ("app:[", "app:1", false), ("", "app:1", false),
        ("app", "app@sha256:00", true), ("**", "team/app", false),
    ])
    func fitsAsGosPathsDo(_ pattern: String, _ name: String, _ fits: Bool) {
        #expect(ReferencePattern(pattern).matches(name) == fits)
    }

    @Test func manyStarsAreNoTrap() {
        let pattern = String(repeating: "*a", count: 100) + "b"
        #expect(!ReferencePattern(pattern).matches(String(repeating: "a", count: 1000)))
    }
}
