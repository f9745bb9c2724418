// SPDX-License-Identifier: Apache-2.0
import ContainerRuntime
import System
import Testing

struct UserDatabaseTests {
    private let database = UserDatabase(
        passwd: """
            root:x:0:0:root:/root:/bin/sh
            broken line
            meg:x:1000:1001:Meg:/home/meg:/bin/sh
            1000:x:7:7::/seven:
            homeless:x:9:9
            most:x:2147483647:2147483647::/most:
            nochange:x:4294967295:0::/root:
            nogroup:x:5:2147483648::/root:
            """,
        group: "root:x:0:\nstaff:x:50:meg,other\nmeg:x:1001:meg\n60:x:61:\nhigh:x:4294967295:meg\n"
    )

    @Test(
        arguments: [
            ("meg", 1000, 1001, [1001, 50], "/home/meg"), ("", 0, 0, [0], "/root"), ("0", 0, 0, [0], "/root"),
            // A name that looks like a number wins over the number.
            ("1000", 7, 7, [7], "/seven"), ("meg:staff", 1000, 50, [50], "/home/meg"),
            (":staff", 0, 50, [50], "/root"),
            ("meg:60", 1000, 61, [61], "/home/meg"), ("55", 55, 0, [0], "/"), ("55:66", 55, 66, [66], "/"),
            ("homeless", 9, 9, [9], "/"), ("meg:", 1000, 1001, [1001, 50], "/home/meg"),
            ("most", 0x7fff_ffff, 0x7fff_ffff, [0x7fff_ffff], "/most"),
        ] as [(String, UInt32, UInt32, [UInt32], String)]
    )
    func namesAndNumbers(text: String, uid: UInt32, gid: UInt32, groups: [UInt32], home: String) throws {
        #expect(try database.resolve(text) == .init(uid: uid, gid: gid, groups: groups, home: home))
    }

    @Test(arguments: [
        ("nobody", "nobody"), ("meg:wheel", "meg:wheel"), ("-1", "-1"), ("4294967295", "4294967295"),
        ("a b", "a b"),
        ("nochange", "nochange"), ("nogroup", "nogroup"), ("meg:high", "meg:high"),
        ("2147483648", "2147483648"),
    ])
    func whatIsNotThereIsNamed(text: String, name: String) {
        let error = #expect(throws: SystemError.self) { try database.resolve(text) }
        #expect(error?.path == name && error?.name == "ENOENT")
    }

    @Test func homesByNumber() {
        #expect(database.home(of: 1000) == "/home/meg")
        #expect(database.home(of: 4242) == "/")
    }
}
