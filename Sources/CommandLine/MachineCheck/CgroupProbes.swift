// SPDX-License-Identifier: Apache-2.0
internal import Cgroups
internal import System

/// Control groups: their layout, and whether groups can be made.
enum CgroupProbes {
    static func layout() throws(SystemError) -> Finding {
        let layout: CgroupLayout
        do throws(SystemError) { layout = try CgroupLayout.detect() } catch {
            return Finding("cgroups", .missing, "none are mounted", "Mount them at /sys/fs/cgroup.")
        }
        let name =
            switch layout.kind {
            case .legacy: "version 1"
            case .hybrid: "version 1 with a version 2 tree beside it"
            case .unified: "version 2"
            }
        let digits = try SystemEnvironment.randomHexadecimal(bytes: 6)
        for mountPoint in layout.hierarchies.map(\.mountPoint) + (layout.unifiedMountPoint.map { [$0] } ?? [])
        {
            let group = "\(mountPoint)/petrel-check-\(digits)"
            do throws(SystemError) {
                try Files.makeDirectory(group, mode: 0o755)
                try Files.removeDirectory(group)
            } catch {
                return Finding(
                    "cgroups",
                    .missing,
                    "\(name); \(mountPoint): \(error.name)",
                    "Each container has a group of its own: the hierarchy must be writable."
                )
            }
        }
        return Finding(
            "cgroups",
            layout.kind != .legacy,
            name,
            else: .limited,
            "Without a version 2 tree, ending and freezing containers takes a walk through their processes."
        )
    }

    private static let uses: [(controller: String, without: String)] = [
        ("memory", "--memory"), ("cpu", "--cpus and --cpu-shares"), ("pids", "--pids-limit"),
        ("cpuset", "--cpuset-cpus"), ("blkio", "--blkio-weight and device rates"), ("freezer", "pause"),
        ("devices", "restricted devices"),
    ]

    static func controllers() throws(SystemError) -> Finding {
        let layout = try CgroupLayout.detect()
        var present = Set(layout.hierarchies.flatMap(\.controllers))
        if let unified = layout.unifiedMountPoint {
            let text = (try? Files.text(of: unified + "/cgroup.controllers")) ?? ""
            present.formUnion(text.split { $0.isWhitespace }.map(String.init))
            if present.contains("io") { present.insert("blkio") }
            // Version 2 freezes every group, and guards devices by programs.
            if layout.kind == .unified { present.formUnion(["freezer", "devices"]) }
        }
        let missing = uses.filter { !present.contains($0.controller) }
        guard let devices = missing.first(where: { $0.controller == "devices" }) else {
            return Finding(
                "controllers",
                missing.isEmpty,
                missing.isEmpty
                    ? uses.map(\.controller).joined(separator: ", ")
                    : "without \(missing.map(\.controller).joined(separator: ", "))",
                else: .limited,
                "Not possible: \(missing.map(\.without).joined(separator: ", "))."
            )
        }
        return Finding(
            "controllers",
            .missing,
            "without \(devices.controller)",
            "Containers could use every device: enable the devices controller."
        )
    }
}
