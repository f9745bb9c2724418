// SPDX-License-Identifier: Apache-2.0
import Rendering
import Testing

struct UsualOptionsTests {
    @Test(arguments: [
        [], ["busybox"], ["--rm", "busybox", "true"], ["-d", "--name", "x", "busybox"],
        ["-it", "busybox", "sh"],
        ["-ite", "A=b", "busybox"], ["-iteA=b", "busybox"], ["-v/a:/b", "-v", "/c:/d", "busybox"],
        ["--name=--sysctl", "busybox"], ["--name", "--sysctl", "busybox"], ["-m", "-c", "busybox"],
        ["busybox", "sh", "-c", "true"], ["-", "--sysctl"],
        ["--net=none", "busybox"],
    ])
    func theUsual(_ words: [String]) { #expect(UsualOptions.suffice(for: words)) }

    @Test(arguments: [
        ["--sysctl", "a=b", "busybox"], ["--rm", "--sysctl=a=b", "busybox"], ["-c", "512", "busybox"],
        ["-dc", "512", "busybox"], ["-itx", "busybox"], ["--rm=false", "busybox"], ["--d", "busybox"],
        ["--e", "A=b"], ["--rmx"], ["--nam", "x", "busybox"], ["-e", "A=b", "--init", "busybox"], ["--help"],
        ["--rm", "--", "busybox"],
        ["--detach-keys", "ctrl-a", "busybox"], ["-é", "busybox"], ["--root", "/r", "busybox"],
    ])
    func theRest(_ words: [String]) { #expect(!UsualOptions.suffice(for: words)) }
}
