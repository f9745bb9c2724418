// SPDX-License-Identifier: Apache-2.0
import Events
import FileTrees
import Messages
import RPC
import Rendering
import Services
import System
import Tar

/// From this machine into a container.
struct CopyIn: Sendable {
    let side: CopySide
    let container: String
    let path: CopyPath

    func run(from source: String) async throws -> Copied {
        do {
            let (target, present) = try await present()
            let shown = "\(container):\(target.fullText)"
            if source == "-" {
                guard present == .directory else {
                    throw Failure(side.what, "destination \"\(shown)\" must be a directory")
                }
                return Copied(bytes: try await sendInput(to: target), place: shown)
            }
            let origin = try LocalSource(
                CopyPath(source, from: side.directory),
                followsLink: side.followsLink
            )
            let plan = try CopyPlan(copyingDirectory: origin.isDirectory, to: target, where: present)
            let bytes = try await send(origin, called: plan.name ?? origin.name, to: plan.directory)
            return Copied(bytes: bytes, place: shown)
        } catch {
            throw side.failure(error)
        }
    }

    /// The destination with links at its end followed, and what is there.
    private func present() async throws -> (CopyPath, CopyPlan.Present) {
        var target = path
        var status = try await side.status(of: container, target)
        if let link = status, link.kind == .symbolicLink {
            target = target.following(link.linkTarget)
            status = try await side.status(of: container, target)
        }
        switch status?.kind {
        case nil: return (target, .nothing)
        case .directory?: return (target, .directory)
        case .regular?: return (target, .other)
        default:
            throw Failure(
                side.what,
                "destination \"\(container):\(target.fullText)\" must be a directory or a regular file"
            )
        }
    }

    // MARK: Sending

    private func start(_ directory: CopyPath) -> EngineV1.WriteArchiveRequest {
        EngineV1.WriteArchiveRequest(
            body: .start(
                EngineV1.WriteArchiveStart(
                    container: container,
                    path: directory.fullText,
                    noOverwriteDirNonDir: true
                )
            )
        )
    }

    private func sendInput(to directory: CopyPath) async throws -> Int64 {
        let input = try StandardInput()
        var count: Int64 = 0
        _ = try await side.engine.containers.writeArchive { requests in
            try await requests.write(start(directory))
            while let bytes = await input.next() {
                if count == 0, Compression(head: bytes) != .none {
                    let kind = Compression(head: bytes).rawValue
                    throw Failure(
                        side.what,
                        "the archive on standard input is compressed (\(kind))",
                        advice: "Expand it on the way: 'zcat FILE | petrel cp - CONTAINER:PATH'."
                    )
                }
                count += Int64(bytes.count)
                try await requests.write(EngineV1.WriteArchiveRequest(body: .data(bytes)))
                side.progress?.add(bytes.count)
            }
        }
        return count
    }

    private func send(_ origin: LocalSource, called name: String, to directory: CopyPath) async throws
        -> Int64
    {
        let (readEnd, writeEnd) = try CopySide.pipe(readingBlocks: false)
        let owner: (user: UInt32, group: UInt32)? = side.keepsOwners ? nil : (0, 0)
        let packed = try ThreadWork {
            try origin.pack(to: Descriptor(adopting: writeEnd), called: name, owner: owner)
        }
        let source = SharedDescriptor(Descriptor(adopting: readEnd))
        let poller = try Poller()
        defer { poller.stop() }
        _ = try await side.engine.containers.writeArchive { requests in
            try await requests.write(start(directory))
            while true {
                let bytes = try await poller.bytes(from: source, limit: CopySide.chunkBytes)
                if bytes.isEmpty { break }
                try await requests.write(EngineV1.WriteArchiveRequest(body: .data(bytes)))
                side.progress?.add(bytes.count)
            }
            // Before the end is told: an archive that stopped in the middle is not to be taken for a whole one.
            _ = try await packed.value
        }
        return try await packed.value
    }
}
