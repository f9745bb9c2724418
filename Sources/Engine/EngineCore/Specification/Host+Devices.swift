// SPDX-License-Identifier: Apache-2.0
internal import RuntimeSpec
internal import System

/// Device nodes of the host that containers ask for by path.
extension Host {
    private static let limit = 4096
    /// Of files looked at for devices.
    private static let visitLimit = 65_536

    /// The node at a path, or all below a directory, as they are to be called in a container.
    /// - Throws: `.invalidField` for what is not there or no device.
    func devices(for mapping: ContainerSettings.Devices.Mapping) throws(EngineError) -> [Device] {
        var found: [Device] = []
        var visits = 0
        try collect(mapping.source, as: ContainerSettings.clean(mapping.target), &found, &visits, depth: 0)
        guard visits < Host.visitLimit else {
            let text =
                "\(mapping.source) has more than \(Host.visitLimit) files, which is no directory of devices"
            throw .invalidField("device", text)
        }
        guard !found.isEmpty else {
            throw .invalidField("device", "there is no device node below \(mapping.source)")
        }
        return found
    }

    private func collect(
        _ path: String,
        as target: String,
        _ found: inout [Device],
        _ visits: inout Int,
        depth: Int
    ) throws(EngineError) {
        visits += 1
        // A link is followed where it was asked for, not where a directory happens to have one.
        let entry = depth == 0 ? try status(of: path, field: "device") : try? Files.status(of: path)
        guard let status = entry else { return }
        if status.kind == .directory {
            guard depth < 8, let names = try? Files.names(in: path) else { return }
            for name in names.sorted()
            where found.count < Host.limit && visits < Host.visitLimit && !Host.containersOwn.contains(name) {
                // What is no device, or is gone, is passed over here.
                try? collect(path + "/" + name, as: target + "/" + name, &found, &visits, depth: depth + 1)
            }
            return
        }
        guard status.kind == .characterDevice || status.kind == .blockDevice else {
            throw .invalidField("device", "\(path) is not a device node")
        }
        found.append(
            Device(
                path: target,
                kind: status.kind == .blockDevice ? .block : .character,
                major: status.deviceMajor,
                minor: status.deviceMinor,
                fileMode: status.permissions,
                uid: status.user,
                gid: status.group
            )
        )
    }

    private func status(of path: String, field: String) throws(EngineError) -> FileStatus {
        do throws(SystemError) {
            return try Files.statusThroughLinks(of: path)
        } catch {
            throw .invalidField(
                field,
                "error gathering device information while adding custom device \"\(path)\": \(error)"
            )
        }
    }

    /// - Throws: `.invalidField` for what is no block device.
    func throttle(_ rate: ContainerSettings.Resources.Rate) throws(EngineError) -> Resources.BlockIO.Throttle
    {
        let status = try status(of: rate.path, field: "device rate")
        guard status.kind == .blockDevice else {
            throw .invalidField("device rate", "\(rate.path) is not a block device")
        }
        return .init(major: status.deviceMajor, minor: status.deviceMinor, rate: rate.rate)
    }
}
