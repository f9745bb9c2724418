// SPDX-License-Identifier: Apache-2.0
package import EngineCore
internal import Messages
internal import RPC
internal import Services
internal import System

extension SupervisorPeer {
    package func pathStatus(of id: ContainerID, _ path: String) async throws(PeerError) -> PathStatus {
        let request = SupervisorV1.StatPathRequest(owner: SupervisorPeer.owner, id: id.text, path: path)
        let status = try await calls.repeating { options throws(RPCError) in
            try await client.statPath(request, options: options)
        }
        return PathStatus(status)
    }

    package func readArchive(
        of id: ContainerID,
        _ path: String,
        first: (PathStatus) async throws -> Void,
        receive: ([UInt8]) async throws -> Void
    ) async throws {
        let request = SupervisorV1.ReadArchiveRequest(owner: SupervisorPeer.owner, id: id.text, path: path)
        let stream = try await calls.once(CallDeadline.endlessOptions) { options throws(RPCError) in
            try await client.readArchive(request, options: options)
        }
        while true {
            let next: SupervisorV1.ReadArchiveResponse?
            do throws(RPCError) { next = try await stream.next() } catch { throw calls.peerError(error) }
            guard let next else { return }
            switch next.body {
            case .status(let status): try await first(PathStatus(status))
            case .data(let bytes): try await receive(bytes)
            case nil: continue
            }
        }
    }

    package func writeArchive(
        _ order: ArchiveOrder,
        next: @Sendable () async throws -> [UInt8]?
    ) async throws {
        let start = SupervisorV1.WriteArchiveStart(
            owner: SupervisorPeer.owner,
            id: order.container.text,
            path: order.path,
            noOverwriteDirNonDir: order.keepsKinds,
            copyUidGid: order.isForUser
        )
        do {
            _ = try await client.writeArchive(options: CallDeadline.endlessOptions) { requests in
                try await requests.write(SupervisorV1.WriteArchiveRequest(body: .start(start)))
                while let bytes = try await next() {
                    try await requests.write(SupervisorV1.WriteArchiveRequest(body: .data(bytes)))
                }
            }
        } catch let error as RPCError {
            throw calls.peerError(error)
        }
    }
}

extension PathStatus {
    init(_ message: CommonV1.PathStatus) {
        self.init(name: message.name, kind: FileStatus.Kind(message.kind))
        permissions = message.permissions
        sizeBytes = message.sizeBytes
        modifiedSeconds = message.modifiedSeconds
        modifiedNanos = message.modifiedNanos
        linkTarget = message.linkTarget
        user = message.user
        group = message.group
    }
}

extension CommonV1.PathStatus {
    init(_ status: PathStatus) {
        self.init(
            name: status.name,
            kind: Kind(status.kind),
            permissions: status.permissions,
            sizeBytes: status.sizeBytes,
            modifiedSeconds: status.modifiedSeconds,
            modifiedNanos: status.modifiedNanos,
            linkTarget: status.linkTarget,
            user: status.user,
            group: status.group
        )
    }
}
