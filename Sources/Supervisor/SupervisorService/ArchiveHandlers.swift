// SPDX-License-Identifier: Apache-2.0
package import Messages
package import RPC
internal import Services
internal import SupervisorCore

/// Files of containers.
extension SupervisorHandlers {
    package func statPath(
        _ request: SupervisorV1.StatPathRequest,
        context: CallContext
    ) async throws -> CommonV1.PathStatus {
        try await mapped {
            try Check.path(request.path, field: "path")
            let container = try await supervisor.container(request.id, owner: request.owner)
            return CommonV1.PathStatus(try await container.pathStatus(request.path))
        }
    }

    package func readArchive(
        _ request: SupervisorV1.ReadArchiveRequest,
        to responses: ResponseWriter<SupervisorV1.ReadArchiveResponse>,
        context: CallContext
    ) async throws {
        try await mapped {
            try Check.path(request.path, field: "path")
            let container = try await supervisor.container(request.id, owner: request.owner)
            try await container.readArchive(request.path) { status in
                let message = CommonV1.PathStatus(status)
                try await responses.write(SupervisorV1.ReadArchiveResponse(body: .status(message)))
            } receive: { bytes in
                try await responses.write(SupervisorV1.ReadArchiveResponse(body: .data(bytes)))
            }
        }
    }

    package func writeArchive(
        _ requests: RequestStream<SupervisorV1.WriteArchiveRequest>,
        context: CallContext
    ) async throws -> SupervisorV1.WriteArchiveResponse {
        try await mapped {
            guard case .start(let start)? = try await requests.next()?.body else {
                throw SupervisorError.invalidField(name: "body", reason: "the first request must be start")
            }
            try Check.path(start.path, field: "path")
            let container = try await supervisor.container(start.id, owner: start.owner)
            let order = CopyOrder(
                .write,
                path: start.path,
                keepsKinds: start.noOverwriteDirNonDir,
                isForUser: start.copyUidGid
            )
            try await container.writeArchive(order) {
                while let request = try await requests.next() {
                    if case .data(let bytes)? = request.body, !bytes.isEmpty { return bytes }
                }
                return nil
            }
            return SupervisorV1.WriteArchiveResponse()
        }
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
