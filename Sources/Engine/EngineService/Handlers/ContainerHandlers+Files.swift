// SPDX-License-Identifier: Apache-2.0
internal import EngineCore
package import Messages
package import RPC
internal import Services

extension ContainerHandlers {
    package func statPath(
        _ request: EngineV1.StatPathRequest,
        context: CallContext
    ) async throws -> CommonV1.PathStatus {
        try await StatusMapping.answering(context) {
            CommonV1.PathStatus(try await engine.pathStatus(of: request.container, request.path))
        }
    }

    package func readArchive(
        _ request: EngineV1.ReadArchiveRequest,
        to responses: ResponseWriter<EngineV1.ReadArchiveResponse>,
        context: CallContext
    ) async throws {
        try await StatusMapping.answering(context) {
            try await engine.readArchive(of: request.container, request.path) { status in
                let message = CommonV1.PathStatus(status)
                try await responses.write(EngineV1.ReadArchiveResponse(body: .status(message)))
            } receive: { bytes in
                try await responses.write(EngineV1.ReadArchiveResponse(body: .data(bytes)))
            }
        }
    }

    package func writeArchive(
        _ requests: RequestStream<EngineV1.WriteArchiveRequest>,
        context: CallContext
    ) async throws -> EngineV1.WriteArchiveResponse {
        try await StatusMapping.answering(context) {
            guard case .start(let start)? = try await requests.next()?.body else {
                throw EngineError.invalidField("body", "the first request of a copy must be start")
            }
            try await engine.writeArchive(
                to: start.container,
                start.path,
                keepsKinds: start.noOverwriteDirNonDir,
                isForUser: start.copyUidGid
            ) {
                while let request = try await requests.next() {
                    if case .data(let bytes)? = request.body, !bytes.isEmpty { return bytes }
                }
                return nil
            }
            return EngineV1.WriteArchiveResponse()
        }
    }
}
