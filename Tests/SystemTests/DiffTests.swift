// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TestSupport

@Suite(.serialized, .needsRoot)
struct DiffTests {
    @Test func changesAreListedAsDockerDoes() throws {
        try withSuite { suite in
            try suite.succeed("create", "--name", "new", "busybox", "true")
            #expect(try suite.succeed("diff", "new") == "")
            try suite.succeed("start", "new")
            try suite.waitUntil("new", is: "exited")
            // The places for mounts are nobody's change.
            #expect(try suite.succeed("diff", "new") == "")
            let script = """
                echo more >> /etc/group; rm /bin/yes; mkdir -p /srv/a/b; echo x > /srv/a/b/c; ln -s /etc /srv/link;
                rm -r /usr; mkdir /usr; touch /usr/new; chmod 700 /home
                """
            try suite.succeed("run", "--name", "d", "busybox", "sh", "-c", script)
            #expect(
                try suite.petrel("diff", "d").lines == [
                    "C /bin", "D /bin/yes", "C /etc", "C /etc/group", "C /home", "A /srv", "A /srv/a",
                    "A /srv/a/b", "A /srv/a/b/c", "A /srv/link", "C /usr", "A /usr/new", "D /usr/bin",
                    "D /usr/sbin",
                ]
            )
            let absent = try suite.petrel("diff", "nobody")
            #expect(absent.status == 1 && absent.stderr.contains("nobody"), "\(absent)")
        }
    }
}
