// SPDX-License-Identifier: Apache-2.0
internal import GRDB

/// What a new container takes from others, decided at its creation.
package struct Borrowed: Hashable, Sendable {
    /// Of the container whose network it joins.
    package var hostname = ""
    package var domainname: String?
    /// By `--volumes-from`.
    package var mounts: [ContainerSettings.Storage.Mount] = []

    package init() {}
}

/// A namespace of another container that a container is to live in.
package struct JoinedNamespace: Hashable, Sendable {
    /// As the OCI runtime specification has them.
    package enum Kind: String, Sendable { case network, pid, ipc }

    package let kind: Kind
    package let container: ContainerID
}

extension ContainerSettings {
    /// Once containers are named by their ids.
    var joinedNamespaces: [JoinedNamespace] {
        var joined: [JoinedNamespace] = []
        if case .container(let id) = network, let id = ContainerID(id) {
            joined.append(JoinedNamespace(kind: .network, container: id))
        }
        if case .container(let id) = namespaces.process, let id = ContainerID(id) {
            joined.append(JoinedNamespace(kind: .pid, container: id))
        }
        if case .container(let id) = namespaces.ipc, let id = ContainerID(id) {
            joined.append(JoinedNamespace(kind: .ipc, container: id))
        }
        return joined
    }

    /// Whose network it lives in.
    var networkContainer: ContainerID? {
        guard case .container(let id) = network else { return nil }
        return ContainerID(id)
    }
}

extension Engine {
    /// The settings with other containers named by their ids, and what is taken from them.
    /// - Throws: `.containerNotFound`, `.ambiguousPrefix`, `.beingRemoved`; `.invalidField` for an IPC namespace that is not shareable.
    func borrow(_ settings: ContainerSettings) async throws -> (ContainerSettings, Borrowed) {
        try await database.read { db in
            var settings = settings
            var borrowed = Borrowed()
            func usable(_ reference: String) throws -> ContainerRow {
                let row = try ContainerRow.resolve(db, reference)
                guard row.state == .created else { throw EngineError.beingRemoved(row.id) }
                return row
            }
            if case .container(let reference) = settings.network {
                let other = try usable(reference)
                guard other.settings.network != .host else {
                    throw EngineError.invalidField(
                        "network",
                        "container \(other.name) uses the host's network, and has none to join",
                        advice: "use --network host"
                    )
                }
                settings.network = .container(other.id.text)
                borrowed.hostname = other.resolved.hostname
                borrowed.domainname = other.resolved.domainname
            }
            if case .container(let reference) = settings.namespaces.process {
                settings.namespaces.process = .container(try usable(reference).id.text)
            }
            if case .container(let reference) = settings.namespaces.ipc {
                let other = try usable(reference)
                try Engine.checkShareable(other)
                settings.namespaces.ipc = .container(other.id.text)
            }
            var names: [String] = []
            for text in settings.storage.volumesFrom {
                let wanted = try VolumesFrom(text)
                let other = try usable(wanted.container)
                names.append(other.id.text + (wanted.mode.map { ":" + $0 } ?? ""))
                borrowed.mounts = other.volumes(readOnly: wanted.mode == "ro", over: borrowed.mounts)
            }
            settings.storage.volumesFrom = names
            return (settings, borrowed)
        }
    }
}

extension Engine {
    fileprivate static func checkShareable(_ other: ContainerRow) throws(EngineError) {
        switch other.settings.namespaces.ipc {
        case .shareable, .container: return
        case .host:
            throw .invalidField(
                "ipc mode",
                "container \(other.name) uses the host's IPC, and has none to join",
                advice: "use --ipc host"
            )
        case .none, .private:
            throw .invalidField(
                "ipc mode",
                "cannot join IPC of container \(other.name): non-shareable IPC",
                advice: "create that container with --ipc shareable"
            )
        }
    }
}

extension ContainerRow {
    /// What others get by `--volumes-from`; the same target of an earlier one is replaced.
    fileprivate func volumes(
        readOnly: Bool,
        over earlier: [ContainerSettings.Storage.Mount]
    ) -> [ContainerSettings.Storage.Mount] {
        let own =
            (resolved.inheritedMounts ?? []) + settings.binds.map(\.mount)
            + settings.storage.mounts.filter { $0.kind == .bind }
        var result = earlier
        for var mount in own {
            // Never more than that container may do itself.
            mount.readOnly = mount.readOnly || readOnly
            mount.createSource = false
            let target = ContainerSettings.clean(mount.target)
            result.removeAll { ContainerSettings.clean($0.target) == target }
            result.append(mount)
        }
        return result
    }
}

extension ContainerSettings.Bind {
    var mount: ContainerSettings.Storage.Mount {
        var mount = ContainerSettings.Storage.Mount(.bind, target: target)
        mount.source = source
        mount.readOnly = readOnly
        mount.propagation = propagation
        return mount
    }
}
