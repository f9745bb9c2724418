// SPDX-License-Identifier: Apache-2.0
package import System

/// Where this machine's control groups are mounted, and which controllers are where.
package struct CgroupLayout: Hashable, Sendable {
    package enum Kind: Sendable {
        /// Version 1 only.
        case legacy
        /// Controllers in version 1, and a version 2 tree, used here for kill, freeze and events.
        case hybrid
        /// Version 2 only.
        case unified
    }

    /// One version 1 hierarchy.
    package struct Hierarchy: Hashable, Sendable {
        /// `cpu`, `cpuacct`, …, or `name=systemd`.
        package let controllers: [String]
        package let mountPoint: String
    }

    package let hierarchies: [Hierarchy]
    /// The mount point of the version 2 tree.
    package let unifiedMountPoint: String?

    package var kind: Kind {
        if hierarchies.isEmpty { return .unified }
        return unifiedMountPoint == nil ? .legacy : .hybrid
    }

    /// The layout of the running system.
    /// - Throws: `ENODEV` when no control groups are mounted at all.
    package static func detect() throws(SystemError) -> CgroupLayout {
        let path = "/proc/self/mountinfo"
        let bytes = try Files.contents(of: path)
        let layout = CgroupLayout(mountInfo: String(decoding: bytes, as: UTF8.self))
        guard layout.unifiedMountPoint != nil || !layout.hierarchies.isEmpty else {
            throw SystemError("find cgroup mounts", path: path, code: 19)
        }
        return layout
    }

    /// Reads the text of `/proc/PID/mountinfo`; of several mounts of one hierarchy, one of its root is preferred.
    package init(mountInfo: String) {
        var legacy: [(controllers: [String], mountPoint: String, isRoot: Bool)] = []
        var unified: (mountPoint: String, isRoot: Bool)?
        for line in mountInfo.split(separator: "\n") {
            // ID PARENT MAJOR:MINOR ROOT MOUNTPOINT OPTIONS [TAGS…] - TYPE SOURCE SUPEROPTIONS
            let fields = line.split(separator: " ")
            guard let mark = fields.firstIndex(of: "-"), mark >= 6, fields.count > mark + 3 else { continue }
            let isRoot = fields[3] == "/"
            let mountPoint = Self.unescaped(fields[4])
            if fields[mark + 1] == "cgroup2" {
                if unified == nil || isRoot && unified?.isRoot == false { unified = (mountPoint, isRoot) }
            } else if fields[mark + 1] == "cgroup" {
                let controllers = Self.controllers(fields[mark + 3])
                if let index = legacy.firstIndex(where: { $0.controllers == controllers }) {
                    if isRoot, !legacy[index].isRoot { legacy[index] = (controllers, mountPoint, true) }
                } else if !controllers.isEmpty {
                    legacy.append((controllers, mountPoint, isRoot))
                }
            }
        }
        hierarchies = legacy.map { Hierarchy(controllers: $0.controllers, mountPoint: $0.mountPoint) }
        unifiedMountPoint = unified?.mountPoint
    }

    /// The hierarchy that has a version 1 controller.
    package func hierarchy(of controller: String) -> Hierarchy? {
        hierarchies.first { $0.controllers.contains(controller) }
    }

    private static func controllers(_ options: Substring) -> [String] {
        let flags: Set<Substring> = [
            "rw", "ro", "noprefix", "clone_children", "xattr", "none", "cpuset_v2_mode", "favordynmods",
        ]
        return options.split(separator: ",").filter { !flags.contains($0) && !$0.hasPrefix("release_agent=") }
            .map(String.init).sorted()
    }

    /// The kernel writes space, tab, newline and backslash as three octal digits.
    private static func unescaped(_ text: Substring) -> String {
        var result: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3,
                let code = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
            {
                result.append(code)
                rest = rest.dropFirst(3)
            } else {
                result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
