// SPDX-License-Identifier: Apache-2.0
internal import RuntimeSpec
internal import System

/// The kernel's age, this process's rights and limits.
enum KernelProbes {
    static func kernel() -> Finding {
        let release = Host.kernelRelease
        let numbers = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
        let isNewEnough = numbers.count == 2 && (numbers[0], numbers[1]) >= (5, 10)
        return Finding(
            "kernel",
            isNewEnough,
            release,
            else: .missing,
            "Petrel needs Linux 5.10 or newer (openat2, clone3, pidfd, close_range, mount_setattr)."
        )
    }

    static func root() -> Finding {
        let user = CurrentProcess.userID
        return Finding(
            "root",
            user == 0,
            "user \(user)",
            else: .missing,
            "Petrel's daemons need root; try sudo."
        )
    }

    static func capabilities() -> Finding {
        let bits = (try? Credentials.capabilities().effective) ?? 0
        let missing = Capability.allCases.filter { bits >> UInt64($0.number) & 1 == 0 }.map(\.rawValue)
        guard !missing.isEmpty else {
            return Finding("capabilities", .ok, "all \(Capability.allCases.count)")
        }
        let needed = [
            "CAP_SYS_ADMIN", "CAP_MKNOD", "CAP_CHOWN", "CAP_SETUID", "CAP_SETGID", "CAP_SYS_CHROOT",
        ]
        if let first = needed.first(where: missing.contains) {
            return Finding(
                "capabilities",
                .missing,
                "without \(first)",
                "Containers cannot be set up without it."
            )
        }
        let resource = missing.contains("CAP_SYS_RESOURCE")
        return Finding(
            "capabilities",
            .limited,
            "without \(missing.joined(separator: ", "))",
            "No container can have what root lacks here."
                + (resource ? " Hard ulimits cannot be raised, nor OOM scores be lowered." : "")
        )
    }

    static func openFiles() throws(SystemError) -> Finding {
        // RLIMIT_NOFILE
        let hard = try ResourceLimits.value(7).hard
        return Finding(
            "open files",
            hard >= 65_536,
            "at most \(hard) for a process",
            else: hard >= 4_096 ? .limited : .missing,
            "Many containers need many descriptors: raise the hard limit of open files (ulimit -Hn) to 65536."
        )
    }

    static func processes() throws(SystemError) -> Finding {
        let most = Int((try? Files.text(of: "/proc/sys/kernel/pid_max"))?.filter(\.isNumber) ?? "") ?? 0
        // RLIMIT_NPROC does not bind root.
        return Finding(
            "processes",
            most >= 32_768,
            "at most \(most)",
            else: .limited,
            "Few containers find room: raise kernel.pid_max."
        )
    }

    static func systemd() -> Finding {
        let runs = Files.exists("/run/systemd/system")
        return Finding(
            "systemd",
            .ok,
            runs
                ? "runs: it may start the daemons as units"
                : "does not run: petrel-init starts and restarts the daemons"
        )
    }
}
