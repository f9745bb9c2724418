// SPDX-License-Identifier: Apache-2.0
import Messages
import SupervisorCore
import System
import Testing

struct CustodyTests {
    @Test func anyNumberOfCopiesIsHandedOverInPartsThatFit() throws {
        var custody = Custody()
        let null = SharedDescriptor(try Files.open("/dev/null", .readOnly))
        for exec in 0..<300 {
            for role in [Custody.Role.pidfd, .stdoutRead] {
                _ = custody.hold(null, Custody.Key(holder: .exec("\(exec)"), role: role))
            }
        }
        let parts = custody.forAdoption()
        #expect(parts.allSatisfy { $0.count <= SocketMessages.descriptorLimit })
        #expect(Set(parts.flatMap { $0 }.map { "\($0.name.execId) \($0.name.role)" }).count == 600)
    }

    @Test func nothingIsHandedOverToo() {
        #expect(Custody().forAdoption().map(\.count) == [0])
    }

    @Test func copiesSayOfWhichRunTheyAre() throws {
        var custody = Custody()
        let null = SharedDescriptor(try Files.open("/dev/null", .readOnly))
        for run: UInt64 in [1, 2] {
            _ = custody.hold(null, Custody.Key(holder: .run(run), role: .pidfd))
        }
        #expect(Set(custody.forAdoption()[0].map(\.name.run)) == [1, 2])
    }

    /// A keeper's offer may come when its container has been removed.
    @Test func nothingIsHeldAfterTheEnd() throws {
        var custody = Custody()
        let null = SharedDescriptor(try Files.open("/dev/null", .readOnly))
        let key = Custody.Key(holder: .run(1), role: .pidfd)
        let isHeld = custody.hold(null, key)
        #expect(isHeld)
        let dropped = custody.end()
        #expect(dropped == [key])
        let isHeldAgain = custody.hold(null, key)
        #expect(!isHeldAgain)
        #expect(custody.held.isEmpty)
    }
}
