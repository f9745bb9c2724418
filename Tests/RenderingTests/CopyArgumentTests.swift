// SPDX-License-Identifier: Apache-2.0
import Rendering
import Testing

@Suite struct CopyArgumentTests {
    @Test(arguments: [
        ("web:/etc", CopyArgument.container("web", path: "/etc")), ("web:", .container("web", path: "")),
        ("web:a:b", .container("web", path: "a:b")), ("./a:b", .local("./a:b")), ("/a:b", .local("/a:b")),
        ("../x:y", .local("../x:y")), ("a", .local("a")), ("-", .local("-")), (":x", .local(":x")),
    ])
    func containersAreNamedBeforeAColon(text: String, argument: CopyArgument) {
        #expect(CopyArgument(text) == argument)
    }
}
