// SPDX-License-Identifier: Apache-2.0
import Copier
import Testing

@Suite struct CopyTaskTests {
    @Test func theCommandLineIsRead() {
        let task = CopyTask(["write", "--directory", "/d", "--path", "/p", "--keep-kinds", "--for-user"])
        #expect(task?.operation == .write && task?.directory == "/d" && task?.path == "/p")
        #expect(task?.keepsKinds == true && task?.isForUser == true)
        #expect(CopyTask(["read", "--path", "--directory", "--directory", "/d"])?.path == "--directory")
    }

    @Test(arguments: [
        [], ["look", "--directory", "/d", "--path", "/"], ["read", "--directory", "/d"],
        ["read", "--path", "/"],
        ["read", "--directory", "d", "--path", "/"], ["read", "--directory", "/d", "--path"],
        ["read", "--directory", "/d", "--path", "/", "--more"],
    ])
    func anythingElseIsNone(arguments: [String]) { #expect(CopyTask(arguments) == nil) }
}
