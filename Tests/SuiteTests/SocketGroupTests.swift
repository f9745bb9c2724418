// SPDX-License-Identifier: Apache-2.0
import Suite
import System
import TestSupport
import Testing

struct SocketGroupTests {
    @Test func theGroupIsFoundByItsName() throws {
        try withTemporaryDirectory { directory in
            let file = directory + "/group"
            try Files.replace(
                file,
                with: Array("root:x:0:\npetrels:x:7:\npetrel:x:812:ann,bob\nlast:x:9:".utf8)
            )
            #expect(SocketGroup.id(in: file) == 812)
            try Files.replace(file, with: Array("root:x:0:\npetrel:x\npetrel:x:none:\n".utf8))
            #expect(SocketGroup.id(in: file) == nil)
            #expect(SocketGroup.id(in: directory + "/absent") == nil)
            #expect(SocketGroup.id(forMode: 0o600) == nil)
        }
    }

    @Test(.needsRoot) func aSocketIsItsGroups() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/s.sock"
            _ = try UnixSocket.listen(.stream, at: path, mode: 0o660, group: 812)
            let status = try Files.status(of: path)
            #expect(status.permissions == 0o660 && status.group == 812 && status.user == 0)
        }
    }
}
