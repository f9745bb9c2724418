// SPDX-License-Identifier: Apache-2.0
internal import Messages
internal import SupervisorCore

/// The bounds of what clients may send.
enum Check {
    static func name(_ text: String, field: String) throws(SupervisorError) {
        guard !text.isEmpty, text.utf8.count <= 128, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw .invalidField(name: field, reason: "must be 1 to 128 printable ASCII characters")
        }
    }

    static func signal(_ number: Int32, orZero: Bool) throws(SupervisorError) {
        guard (1...64).contains(number) || (orZero && number == 0) else {
            throw .invalidField(name: "signal", reason: "must be 1 to 64")
        }
    }

    static func path(_ text: String, field: String) throws(SupervisorError) {
        guard text.utf8.count <= 4096, !text.utf8.contains(0) else {
            throw .invalidField(name: field, reason: "longer than 4096 bytes, or with a NUL character")
        }
    }
}

extension ContainerRequest {
    /// - Throws: `.invalidField` for the first field that cannot be meant.
    init(checking request: SupervisorV1.CreateRequest) throws(SupervisorError) {
        guard let id = ContainerID(request.id) else {
            throw .invalidField(name: "id", reason: "must be 64 lower-case hexadecimal digits")
        }
        try Check.name(request.owner, field: "owner")
        try Check.name(request.key, field: "key")
        try Check.signal(request.stopSignal, orZero: true)
        guard request.rootfs.count <= 128 else {
            throw .invalidField(name: "rootfs", reason: "more than 128 mounts")
        }
        guard request.annotations.count <= 1024 else {
            throw .invalidField(name: "annotations", reason: "more than 1024")
        }
        self.init(id: id, owner: request.owner, key: request.key, specification: request.specJson)
        for mount in request.rootfs {
            try Check.path(mount.source, field: "rootfs.source")
            try Check.path(mount.target, field: "rootfs.target")
            guard mount.options.reduce(0, { $0 + $1.utf8.count }) <= 256 << 10 else {
                throw .invalidField(name: "rootfs.options", reason: "larger than 256 KiB")
            }
            rootfs.append(
                Mount(type: mount.type, source: mount.source, target: mount.target, options: mount.options)
            )
        }
        opensStdin = request.openStdin
        stdinOnce = request.stdinOnce
        restartPolicy = try RestartPolicy(checking: request.restartPolicy)
        isAutoRemoved = request.autoRemove
        output = Output(
            maximumSegmentBytes: request.output?.maxSegmentBytes ?? 0,
            maximumSegments: request.output?.maxSegments ?? 0,
            isDiscarded: request.output?.discard ?? false,
            dropsWhenFull: request.output?.dropWhenFull ?? false,
            expectsReader: request.output?.readerExpected ?? false
        )
        stopSignal = request.stopSignal == 0 ? 15 : request.stopSignal
        stopTimeoutMillis = request.stopTimeoutMillis == 0 ? 10_000 : request.stopTimeoutMillis
        annotations = request.annotations
        joined = try Self.joined(request.joinedNamespaces, by: id)
        cgroupParent = try Self.cgroupParent(request.cgroupParent)
        healthCheck = try request.healthCheck.map(HealthCheck.init(checking:))
    }

    private static func joined(_ messages: [SupervisorV1.JoinedNamespace], by id: ContainerID)
        throws(SupervisorError) -> [Joined]
    {
        var result: [Joined] = []
        for message in messages {
            guard let kind = Joined.Kind(rawValue: message.kind), !result.contains(where: { $0.kind == kind })
            else {
                throw .invalidField(
                    name: "joined_namespaces.kind",
                    reason: "must be network, pid or ipc, each at most once"
                )
            }
            guard let other = ContainerID(message.containerId), other != id else {
                throw .invalidField(
                    name: "joined_namespaces.container_id",
                    reason: "must be 64 lower-case hexadecimal digits, of another container"
                )
            }
            result.append(Joined(kind: kind, container: other))
        }
        return result
    }

    private static func cgroupParent(_ path: String) throws(SupervisorError) -> String {
        guard !path.isEmpty else { return "" }
        let parts = path.split(separator: "/")
        let isPlain = parts.allSatisfy { part in
            part != "." && part != ".." && part.utf8.count <= 255
                && part.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
        }
        guard !parts.isEmpty, parts.count <= 16, isPlain else {
            throw .invalidField(name: "cgroup_parent", reason: "must be a path of at most 16 printable names")
        }
        return path
    }
}

extension HealthCheck {
    init(checking check: SupervisorV1.HealthCheck) throws(SupervisorError) {
        self.init(check)
        guard arguments != nil else {
            throw .invalidField(name: "health_check.test", reason: "must be CMD or CMD-SHELL and what to run")
        }
        guard test.reduce(0, { $0 + $1.utf8.count }) <= 128 << 10,
            !test.contains(where: { $0.utf8.contains(0) })
        else {
            throw .invalidField(
                name: "health_check.test",
                reason: "larger than 128 KiB, or with a NUL character"
            )
        }
    }
}

extension RestartPolicy {
    init(checking policy: SupervisorV1.RestartPolicy?) throws(SupervisorError) {
        guard let policy else {
            self = .never
            return
        }
        guard let mode = Mode(rawValue: UInt32(bitPattern: policy.mode.rawValue)) else {
            throw .invalidField(name: "restart_policy.mode", reason: "not known")
        }
        self.init(mode: mode, maximumRetries: policy.maximumRetries)
    }
}

extension ExecOrder {
    init(checking request: SupervisorV1.ExecRequest) throws(SupervisorError) {
        guard let id = ExecID(request.execId), !id.isProbe else {
            throw .invalidField(
                name: "exec_id",
                reason: "must be 64 lower-case hexadecimal digits, not beginning with 32 zeros"
            )
        }
        try Self.check(process: request.processJson)
        self.init(
            id: id,
            process: request.processJson,
            opensStdin: request.openStdin,
            isDetached: request.detached
        )
    }
}
