// SPDX-License-Identifier: Apache-2.0
import Messages
import RPC
import Rendering
import Services

/// Whole lists, which come in pages.
extension EngineConnection {
    /// - Parameter what: For the message of a failure: `list containers`.
    /// - Parameter sizes: Also how much each has written, which takes time.
    func listContainers(
        _ what: String,
        all: Bool,
        filters: [String] = [],
        sizes: Bool = false
    ) async throws(Failure) -> [EngineV1.ContainerSummary] {
        try await repeating(what) { () async throws(RPCError) in
            try await Pages.all { page async throws(RPCError) in
                let request = EngineV1.ListRequest(all: all, filters: filters, page: page, size: sizes)
                let list = try await containers.list(request)
                return (list.containers, list.nextPage)
            }
        }
    }

    func listImages(
        _ what: String,
        all: Bool,
        reference: String,
        filters: [String] = []
    ) async throws(Failure) -> [EngineV1.ImageSummary] {
        try await repeating(what) { () async throws(RPCError) in
            try await Pages.all { page async throws(RPCError) in
                let request = EngineV1.ListImagesRequest(
                    all: all,
                    reference: reference,
                    page: page,
                    filters: filters
                )
                let list = try await images.list(request)
                return (list.images, list.nextPage)
            }
        }
    }
}
