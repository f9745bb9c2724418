// SPDX-License-Identifier: Apache-2.0
internal import System

/// One thing to try. A probe may leave the process in other namespaces and with a filter: it runs in one that ends then.
package enum Probe: String, CaseIterable, Sendable {
    case kernel, root, capabilities
    case namespaces
    case userNamespaces = "user namespaces"
    case seccomp
    case pidfd
    case exitInformation = "exit information"
    case mounts
    case overlay = "overlayfs"
    case idmappedMounts = "idmapped mounts"
    case erofs
    case cgroups
    case controllers
    case nftables
    case openFiles = "open files"
    case processes
    case disk
    case journal
    case space
    case systemd

    /// - Parameter place: The directory on whose disk ROOT is or will be; it exists.
    package func run(place: String) -> Finding {
        do throws(SystemError) {
            switch self {
            case .kernel: return KernelProbes.kernel()
            case .root: return KernelProbes.root()
            case .capabilities: return KernelProbes.capabilities()
            case .namespaces: return try NamespaceProbes.namespaces()
            case .userNamespaces: return NamespaceProbes.userNamespaces()
            case .seccomp: return NamespaceProbes.seccomp()
            case .pidfd: return try NamespaceProbes.processDescriptor()
            case .exitInformation: return try NamespaceProbes.exitInformation()
            case .mounts: return try MountProbes.mounts()
            case .overlay: return try MountProbes.overlay(place)
            case .idmappedMounts: return try MountProbes.idmappedMounts(place)
            case .erofs: return MountProbes.erofs()
            case .cgroups: return try CgroupProbes.layout()
            case .controllers: return try CgroupProbes.controllers()
            case .nftables: return NamespaceProbes.packetFilter()
            case .openFiles: return try KernelProbes.openFiles()
            case .processes: return try KernelProbes.processes()
            case .disk: return try DiskProbes.kind(place)
            case .journal: return try DiskProbes.journal(place)
            case .space: return try DiskProbes.space(place)
            case .systemd: return KernelProbes.systemd()
            }
        } catch {
            return Finding(
                rawValue,
                .missing,
                "\(error)",
                "This could not be tried; Petrel may not work here."
            )
        }
    }

    /// The nearest directory on the way to `root` that exists.
    package static func place(of root: String) -> String {
        var path = root
        while path.count > 1, (try? Files.status(of: path))?.kind != .directory {
            path = Files.parentPath(of: path)
        }
        return path
    }
}
