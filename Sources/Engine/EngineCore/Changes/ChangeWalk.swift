// SPDX-License-Identifier: Apache-2.0
internal import System

/// Compares what a container wrote with the layers below, as overlayfs shows them: a whiteout hides a name, an opaque
/// directory everything below it.
///
/// The container may write meanwhile: directories are opened one beneath the other, never by path, so that no link of
/// its leads anywhere else; what vanishes is left out. Blocking.
struct ChangeWalk {
    private static let maximumDepth = 1000
    /// What every container's start makes to mount something on; nobody's change while it is empty.
    private static let mountPoints: Set<String> = [
        "/dev", "/dev/console", "/dev/mqueue", "/dev/pts", "/dev/shm", "/etc", "/etc/hostname", "/etc/hosts",
        "/etc/resolv.conf", "/proc", "/sys", "/sys/fs", "/sys/fs/cgroup",
    ]

    private let upper: String
    /// Uppermost first.
    private let lowers: [String]
    private let receive: (FileChange) -> Void

    init(upper: String, lowers: [String], _ receive: @escaping (FileChange) -> Void) {
        self.upper = upper
        self.lowers = lowers
        self.receive = receive
    }

    /// - Throws: when the top cannot be read.
    func run() throws(SystemError) {
        let top = try Files.open(upper, [.readOnly, .directory, .noFollow])
        _ = try walk(top.raw, path: "", depth: 0, hidesLower: false)
    }

    /// - Parameter hidesLower: Nothing of the layers below shows at this place.
    /// - Returns: What kinds of entries there were.
    private func walk(_ directory: Int32, path: String, depth: Int, hidesLower: Bool) throws(SystemError)
        -> Seen
    {
        var seen = Seen()
        guard depth < Self.maximumDepth else { return seen }
        for name in try Files.names(in: "/proc/self/fd/\(directory)") {
            let place = path + "/" + name
            guard let status = try? Files.status(of: name, at: directory) else { continue }
            let below = hidesLower ? nil : lowerStatus(of: place)
            if status.isWhiteout {
                if below != nil {
                    receive(FileChange(.deleted, place))
                    seen.hasChanges = true
                }
            } else if status.kind == .directory {
                let inner = try visit(name, of: directory, place, status, below, depth, hidesLower)
                seen.hasChanges = seen.hasChanges || inner.hasChanges
                seen.hasMountPoints = seen.hasMountPoints || inner.hasMountPoints
            } else if below == nil, status.sizeBytes == 0, Self.mountPoints.contains(place) {
                seen.hasMountPoints = true
            } else {
                receive(FileChange(below == nil ? .added : .modified, place))
                seen.hasChanges = true
            }
        }
        return seen
    }

    private struct Seen {
        var hasChanges = false
        var hasMountPoints = false
    }

    private func visit(
        _ name: String,
        of parent: Int32,
        _ place: String,
        _ status: FileStatus,
        _ below: FileStatus?,
        _ depth: Int,
        _ hidesLower: Bool
    ) throws(SystemError) -> Seen {
        let child: Descriptor
        do throws(SystemError) {
            child = try Files.open(
                name,
                [.readOnly, .directory, .noFollow],
                at: parent,
                resolving: [.noMagicLinks, .noSymbolicLinks, .withinMount]
            )
        } catch {
            return Seen()
        }
        let opaque = try? Files.attribute("trusted.overlay.opaque", of: "/proc/self/fd/\(child.raw)/.")
        let isOpaque = opaque == [0x79]
        // Before its content, as a reader expects it; whether it has any is known only afterwards.
        var held: [FileChange] = []
        let collector = ChangeWalk(upper: upper, lowers: lowers) { held.append($0) }
        var seen = try collector.walk(
            child.raw,
            path: place,
            depth: depth + 1,
            hidesLower: hidesLower || isOpaque || below?.kind != .directory
        )
        if isOpaque, !hidesLower, below?.kind == .directory {
            for name in lowerNames(of: place) where (try? Files.status(of: name, at: child.raw)) == nil {
                held.append(FileChange(.deleted, place + "/" + name))
                seen.hasChanges = true
            }
        }
        if let change = change(place, status, below, seen) {
            receive(change)
            seen.hasChanges = true
        } else if below == nil {
            seen.hasMountPoints = true
        }
        held.forEach(receive)
        return seen
    }

    private func change(_ place: String, _ status: FileStatus, _ below: FileStatus?, _ seen: Seen)
        -> FileChange?
    {
        let isMountPoint = Self.mountPoints.contains(place)
        guard let below else {
            return isMountPoint && !seen.hasChanges ? nil : FileChange(.added, place)
        }
        if seen.hasChanges { return FileChange(.modified, place) }
        // Only the time of a directory says that something was made in it, and that was a mount point.
        if seen.hasMountPoints || isMountPoint { return nil }
        let isSame =
            below.kind == .directory && status.permissions == below.permissions && status.user == below.user
            && status.group == below.group && status.modifiedSeconds == below.modifiedSeconds
            && status.modifiedNanos == below.modifiedNanos
        return isSame ? nil : FileChange(.modified, place)
    }

    // MARK: - Layers below

    private enum Found {
        case there(FileStatus)
        /// Hidden from this layer on downwards.
        case hidden
        case absent
    }

    private func lowerStatus(of place: String) -> FileStatus? {
        for lower in lowers {
            switch find(place, in: lower) {
            case .there(let status): return status
            case .hidden: return nil
            case .absent: continue
            }
        }
        return nil
    }

    private func find(_ place: String, in lower: String) -> Found {
        var path = lower
        var isOpaque = false
        let parts = place.split(separator: "/")
        for (index, part) in parts.enumerated() {
            path += "/" + part
            guard let status = try? Files.status(of: path) else { return isOpaque ? .hidden : .absent }
            if status.isWhiteout { return .hidden }
            if index == parts.count - 1 { return .there(status) }
            guard status.kind == .directory else { return .hidden }
            isOpaque = isOpaque || (try? Files.attribute("trusted.overlay.opaque", of: path)) == [0x79]
        }
        return .absent
    }

    private func lowerNames(of place: String) -> [String] {
        var names: Set<String> = []
        for lower in lowers { names.formUnion((try? Files.names(in: lower + place)) ?? []) }
        return names.filter { lowerStatus(of: place + "/" + $0) != nil }.sorted()
    }
}
