// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

/// The machine's power fails: every process ends at once, and a later boot finds what the disk had by then.
@Suite(.serialized, .needsRoot, .needsProgram("mkfs.ext4"))
struct PowerFailureTests {
    private static func life(image: String) -> String {
        """
        petrel system start
        petrel load -i '\(image)'
        run="petrel run -d --restart"
        $run always --name always busybox sleep 1000
        $run unless-stopped --name stopped busybox sleep 1000
        petrel stop -t 0 stopped
        petrel run --name exited busybox sh -c 'exit 7' || test $? = 7
        petrel run -d --name plain busybox sleep 1000
        petrel create --name removed busybox true
        petrel rm removed
        petrel run --rm busybox true
        petrel run -d --rm --name transient busybox sleep 1000
        petrel create --rm --name never busybox true
        petrel create --name created busybox echo made
        sleep 0.2
        petrel create --name created-last busybox true
        $run always --name always-last busybox sleep 1000
        $run unless-stopped --name stopped-last busybox sleep 1000
        petrel stop -t 0 stopped-last >/dev/null
        petrel run -d --name last busybox sleep 1000
        """
    }

    private static let nextLife = """
        petrel system start
        for i in $(seq 100); do
            test "$(petrel inspect -f '{{.State.Status}}' always)" = running && break; sleep 0.1
        done
        for i in $(seq 100); do petrel ps -a --format '{{.Names}}' | grep -q -e transient -e never || break; sleep 0.1; done
        petrel ps -a --format '{{.Names}} {{.State}}' | sort
        petrel start -a created
        petrel start plain
        petrel exec plain echo inside
        petrel run --rm busybox echo new
        petrel events --since 1m --until 0s --filter event=exec_die --format '{{.Action}}'
        petrel system df >/dev/null
        petrel rm -f $(petrel ps -aq) >/dev/null
        cd "$PETREL_ROOT"
        ls supervisor/containers image-store/snapshots engine/containers | grep -v : | grep . || echo nothing
        petrel system stop --containers
        """

    /// Everything before the failure happens within a second or two: nothing is on disk because time has passed.
    @Test func whatWasPromisedIsThereAfterTheNextBoot() throws {
        try withTemporaryDirectory { path in
            let machine = try Machine(directory: path)
            defer { machine.removeCgroups() }
            try machine.boot(Self.life(image: try busyboxArchive.get()))
            let after = try machine.boot(Self.nextLife)
            let states = Dictionary(
                after.map { $0.split(separator: " ").map(String.init) }.filter { $0.count == 2 }
                    .map { ($0[0], $0[1]) },
                uniquingKeysWith: { first, _ in first }
            )
            #expect(states["always"] == "running")
            #expect(states["stopped"] == "exited")
            #expect(states["created"] == "created")
            #expect(states["plain"] == "exited")
            // They were told of a moment ago: what others had of them need not have been on the disk.
            #expect(states["always-last"] == "running")
            #expect(states["stopped-last"] == "exited")
            #expect(states["created-last"] == "created")
            #expect(["created", "exited"].contains(states["last"]), "\(after)")
            // Its end was told a moment before; it is known, or the boot was its end.
            #expect(states["exited"] == "exited")
            for gone in ["removed", "transient", "never"] {
                #expect(states[gone] == nil, "\(gone): \(after)")
            }
            for line in ["made", "plain", "inside", "new", "exec_die", "nothing"] {
                #expect(after.contains(line), "\(line) is not in \(after)")
            }
        }
    }
}

/// A machine as far as Petrel sees one: processes, mounts and a boot id of its own, and a disk.
private final class Machine {
    private let directory: String
    private var boots = 0
    private var suite: String?

    private var disk: String { directory + "/disk" }

    init(directory: String) throws {
        self.directory = directory
        try FileManager.default.createDirectory(
            atPath: directory + "/root",
            withIntermediateDirectories: true
        )
        try succeed("truncate", ["-s", "512M", disk])
        try succeed("mkfs.ext4", ["-q", disk])
    }

    /// Boots, runs the script, and loses its power at the end of it.
    /// - Returns: The lines that were printed.
    @discardableResult
    func boot(_ script: String) throws -> [String] {
        boots += 1
        let text = """
            set -eu -o pipefail
            export PATH='\(binaries)':$PATH PETREL_ROOT='\(directory)/root/petrel' PETREL_RUN='\(directory)/run\(boots)'
            cat /proc/sys/kernel/random/uuid >'\(directory)/boot-id'
            mount --bind '\(directory)/boot-id' /proc/sys/kernel/random/boot_id
            mount -o loop '\(disk)' '\(directory)/root'
            \(script)
            cat "$PETREL_ROOT/suite-id"
            # What was not written by now never will be.
            cp --sparse=always '\(disk)' '\(disk).failed'
            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: directory + "/script"))
        let outcome = try succeed(
            "unshare",
            ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", directory + "/script"],
            within: 120
        )
        try succeed("mv", [disk + ".failed", disk])
        suite = outcome.lines.last.map { "petrel-" + $0 }
        removeCgroups()
        return outcome.lines
    }

    /// The next boot has none.
    func removeCgroups() {
        guard let suite else { return }
        try? eventually(
            "no group of \(suite)",
            holds: {
                for group in HostProcess.cgroups(named: suite).sorted(by: >) { rmdir(group) }
                return HostProcess.cgroups(named: suite).isEmpty
            }
        )
    }
}
