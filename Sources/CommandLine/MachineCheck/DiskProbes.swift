// SPDX-License-Identifier: Apache-2.0
internal import System

/// The disk that ROOT is on.
enum DiskProbes {
    /// What `/proc/self/mountinfo` says of the mount that a path is on.
    private struct Mount {
        var device = ""
        var type = ""
        var source = ""
        var point = ""
    }

    static func kind(_ place: String) throws(SystemError) -> Finding {
        let mount = try mount(of: place)
        let detail = "\(mount.type) at \(mount.point) for \(place)"
        switch mount.type {
        case "ext4", "xfs", "btrfs", "bcachefs", "f2fs", "zfs": return Finding("disk", .ok, detail)
        case "tmpfs", "ramfs":
            return Finding("disk", .limited, detail, "Images and containers are gone after a reboot.")
        case "overlay", "nfs", "nfs4", "vfat", "exfat", "ntfs3", "fuse", "9p", "virtiofs":
            return Finding(
                "disk",
                .missing,
                detail,
                "Containers' root file systems cannot be kept there: give --root on ext4, xfs or btrfs."
            )
        default:
            return Finding(
                "disk",
                .limited,
                detail,
                "This kind of disk is not known to work; ext4, xfs and btrfs are."
            )
        }
    }

    static func journal(_ place: String) throws(SystemError) -> Finding {
        let mount = try mount(of: place)
        guard mount.type == "ext4" else { return Finding("journal", .ok, "not a matter of \(mount.type)") }
        let device = (try? Files.link(at: "/sys/dev/block/\(mount.device)"))?.split(separator: "/").last ?? ""
        let journals = (try? Files.names(in: "/proc/fs/jbd2")) ?? []
        let has = !device.isEmpty && journals.contains { $0.hasPrefix(device + "-") }
        return Finding(
            "journal",
            has,
            has ? "ext4 with a journal" : "ext4 without a journal",
            else: .limited,
            "A power cut may cost files that were synced, and files are made slowly for minutes after large deletions."
        )
    }

    static func space(_ place: String) throws(SystemError) -> Finding {
        let directory = try Files.open(place, [.readOnly, .directory])
        let room = try DiskSpace.room(around: directory.raw)
        let free = room.freeBytes >> 20
        let detail = "\(free) MiB free of \(room.totalBytes >> 20) MiB at \(place)"
        if free < 256 { return Finding("space", .missing, detail, "Nothing can be pulled: make room.") }
        return Finding(
            "space",
            free >= 5 << 10,
            detail,
            else: .limited,
            "Images take gigabytes: make room, or give another --root."
        )
    }

    private static func mount(of path: String) throws(SystemError) -> Mount {
        let text = try Files.text(of: "/proc/self/mountinfo")
        var best = Mount()
        for line in text.split(separator: "\n") {
            // ID PARENT MAJOR:MINOR ROOT MOUNTPOINT OPTIONS [TAGS…] - TYPE SOURCE SUPEROPTIONS
            let fields = line.split(separator: " ").map(String.init)
            guard let mark = fields.firstIndex(of: "-"), mark >= 6, fields.count > mark + 2 else { continue }
            let point = fields[4]
            let holds = point == "/" || path == point || path.hasPrefix(point + "/")
            // Of several mounts at one place the last one is seen.
            guard holds, point.count >= best.point.count else { continue }
            best = Mount(device: fields[2], type: fields[mark + 1], source: fields[mark + 2], point: point)
        }
        return best
    }
}
