// SPDX-License-Identifier: Apache-2.0
import Foundation

/// What /proc tells about the machine's processes and mounts.
package enum HostProcess {
    /// The processes (not zombies) whose command line contains `text`.
    package static func all(mentioning text: String) -> [(pid: Int32, arguments: [String])] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap(Int32.init).filter { $0 != getpid() }.compactMap { pid in
            let arguments = arguments(of: pid)
            guard arguments.contains(where: { $0.contains(text) }) else { return nil }
            return (pid, arguments)
        }
    }

    /// Empty for a zombie and for a process that is gone.
    package static func arguments(of pid: Int32) -> [String] {
        guard let bytes = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else { return [] }
        return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    package static func isAlive(_ pid: Int32) -> Bool { !arguments(of: pid).isEmpty }

    package static func descriptors(of pid: Int32) -> [String] {
        let folder = "/proc/\(pid)/fd"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: folder + "/" + $0)
        }
    }

    /// Resident memory, in bytes.
    package static func memory(of pid: Int32) -> Int {
        let status = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) << 10
    }

    /// Mount points of this mount namespace below `path`.
    package static func mounts(below path: String) -> [String] {
        let table = (try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)) ?? ""
        return table.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 1, fields[1].hasPrefix(path + "/") else { return nil }
            return String(fields[1])
        }
    }

    /// Cgroup directories of that name, in every hierarchy, with those below them first.
    package static func cgroups(named name: String) -> [String] {
        let base = "/sys/fs/cgroup"
        let hierarchies = (try? FileManager.default.contentsOfDirectory(atPath: base)) ?? []
        return ([base] + hierarchies.map { base + "/" + $0 }).map { $0 + "/" + name }
            .filter { isDirectory($0) }.flatMap { directories(below: $0) + [$0] }
    }

    private static func isDirectory(_ path: String) -> Bool {
        var directory = ObjCBool(false)
        return FileManager.default.fileExists(atPath: path, isDirectory: &directory) && directory.boolValue
    }

    private static func directories(below path: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.map { path + "/" + $0 }.filter(isDirectory).flatMap { directories(below: $0) + [$0] }
    }
}
