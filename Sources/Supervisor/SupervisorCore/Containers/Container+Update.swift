// SPDX-License-Identifier: Apache-2.0
internal import Cgroups
internal import JSON
internal import Logging
internal import RuntimeSpec
internal import System

/// Limits and restart policy of a container that is there already: recorded with what they replace, carried out in the
/// kernel and in `config.json`, then told; or, where the kernel refuses, taken back. A supervisor that dies in between is
/// followed by one that goes on (`carryOutUpdate`).
extension Container {
    /// - Parameters:
    ///   - resources: Members of `linux.resources` that replace those that are there; empty: no change.
    ///   - policy: nil: no change.
    /// - Throws: `.invalidField`; `.updateFailed`, after which everything is as it was.
    package func update(resources: [UInt8], policy: RestartPolicy?) async throws -> ContainerSnapshot {
        // One at a time; and a start on its way has read the old limits already.
        _ = try await wait {
            $0.isRemoved || ($0.lifecycle.beforeUpdate == nil && $0.lifecycle.phase != .starting)
        }
        var parts = Lifecycle.UpdatableParts(resources: lifecycle.resources, policy: lifecycle.policy)
        if !resources.isEmpty {
            parts.resources = try configuration(lifecycle.resources).resources(changedBy: resources)
            _ = try configuration(parts.resources)
        }
        if let policy { parts.policy = policy }
        try change { lifecycle throws(SupervisorError) in try lifecycle.beginUpdate(to: parts) }
        surroundings.faults.reach("supervisor.update.recorded")
        try carryOutUpdate()
        return snapshot
    }

    /// Does what was recorded, or takes it back.
    func carryOutUpdate() throws(SupervisorError) {
        guard let before = lifecycle.beforeUpdate else { return }
        let old = try configuration(before.resources)
        let new = try configuration(lifecycle.resources)
        let limits = (
            old: old.specification.linux.resources.updatable,
            new: new.specification.linux.resources.updatable
        )
        do {
            try limit(to: limits.new)
            surroundings.faults.reach("supervisor.update.applied")
            try directory.write(new.keeperText, to: directory.configurationFile)
        } catch {
            try? limit(to: limits.old.undoing(limits.new))
            try? directory.write(old.keeperText, to: directory.configurationFile)
            try change { lifecycle throws(SupervisorError) in lifecycle.undoUpdate() }
            throw .updateFailed(id, detail: "\(error)")
        }
        surroundings.faults.reach("supervisor.update.written")
        try change { lifecycle throws(SupervisorError) in lifecycle.finishUpdate(now: surroundings.now) }
    }

    /// One that does not run gets its limits when it starts.
    private func limit(to resources: Resources) throws {
        let group = try cgroup()
        guard lifecycle.isActive, group.exists else { return }
        try group.apply(resources)
    }

    private func configuration(_ resources: [UInt8]) throws(SupervisorError) -> RuntimeConfiguration {
        try RuntimeConfiguration(
            request.specification,
            cgroupPath: surroundings.cgroupPath(of: request),
            rootPath: directory.path + "/rootfs",
            resources: resources
        )
    }
}
