// SPDX-License-Identifier: Apache-2.0
internal import System

/// Namespaces, filters, process descriptors, the packet filter.
enum NamespaceProbes {
    private static let needed: [(String, NamespaceKinds)] = [
        ("mount", .mount), ("pid", .process), ("uts", .uts), ("ipc", .ipc), ("network", .network),
        ("cgroup", .cgroup),
    ]

    static func namespaces() throws(SystemError) -> Finding {
        var missing: [String] = []
        for (name, kind) in needed {
            do throws(SystemError) { try Namespaces.unshare(kind) } catch {
                missing.append("\(name) (\(error.name))")
            }
        }
        return Finding(
            "namespaces",
            missing.isEmpty,
            missing.isEmpty
                ? needed.map(\.0).joined(separator: ", ") : "without \(missing.joined(separator: ", "))",
            else: .missing,
            "Containers need all of them: use a kernel that has them, and root that may make them."
        )
    }

    static func userNamespaces() -> Finding {
        do throws(SystemError) {
            try Namespaces.unshare(.user)
            return Finding("user namespaces", .ok, "can be made")
        } catch {
            return Finding(
                "user namespaces",
                .limited,
                error.name,
                "Containers' root is the machine's root: users cannot be mapped (user.max_user_namespaces?)."
            )
        }
    }

    static func seccomp() -> Finding {
        do throws(SystemError) {
            // One instruction: return SECCOMP_RET_ALLOW.
            try SystemCallFilter.install([0x06, 0, 0, 0, 0, 0, 0xff, 0x7f])
            return Finding("seccomp", .ok, "filters can be installed")
        } catch {
            return Finding(
                "seccomp",
                .missing,
                error.name,
                "Containers could make every system call: only privileged ones can be started."
            )
        }
    }

    static func processDescriptor() throws(SystemError) -> Finding {
        let child = try Spawn(path: "/proc/self/exe", arguments: ["--version"]).start()
        defer { try? ProcessHandle.reap(child.process.raw) }
        var entries = [Poll.Entry(child.process.raw)]
        try Poll.wait(&entries, deadlineNanos: Clock.bootNanos + 5_000_000_000)
        let ended = try ProcessHandle.peekEnd(of: child.process.raw) != nil
        return Finding(
            "pidfd",
            ended,
            ended ? "tells the end of a process" : "does not tell the end of a process",
            else: .missing,
            "Petrel knows processes by descriptor only: use Linux 5.10 or newer."
        )
    }

    static func exitInformation() throws(SystemError) -> Finding {
        let child = try Spawn(path: "/proc/self/exe", arguments: ["--version"]).start()
        var entries = [Poll.Entry(child.process.raw)]
        try Poll.wait(&entries, deadlineNanos: Clock.bootNanos + 5_000_000_000)
        try ProcessHandle.reap(child.process.raw)
        let isTold = ProcessHandle.waitStatus(child.process.raw) != nil
        return Finding(
            "exit information",
            isTold,
            isTold
                ? "a reaped process's exit code can be read"
                : "gone with a reaped process (before Linux 6.15)",
            else: .limited,
            "An exit code is unknown when keeper and supervisor were both dead at the end and another has reaped it."
        )
    }

    static func packetFilter() -> Finding {
        do throws(SystemError) {
            try Namespaces.unshare(.network)
            try PacketFilter.ask()
            return Finding("nftables", .ok, "answers")
        } catch {
            return Finding(
                "nftables",
                .limited,
                "\(error)",
                "Networks other than none and host, and published ports, are not possible (module nf_tables)."
            )
        }
    }
}
