// SPDX-License-Identifier: Apache-2.0
import Events
import FileTrees
import Messages
import RPC
import Rendering
import Services
import System
import Tar

/// From a container to this machine. What comes is not trusted: nothing is written outside of the destination's directory,
/// whatever names and links the archive has.
struct CopyOut: Sendable {
    let side: CopySide
    let container: String
    let path: CopyPath

    private static let maximumLinks = 10

    func run(to destination: String) async throws -> Copied {
        do {
            let (source, name) = try await followed()
            if destination != "-" { try checkPlace(CopyPath(destination, from: side.directory)) }
            let request = EngineV1.ReadArchiveRequest(container: container, path: source.fullText)
            let (first, stream) = try await side.engine.once(side.what) { () async throws(RPCError) in
                let stream = try await side.engine.containers.readArchive(request)
                return (try await stream.next()?.body, stream)
            }
            guard case .status(let status)? = first else {
                throw Failure(side.what, "the engine did not say what is there")
            }
            if destination == "-" { return try await pass(stream) }
            let place = CopyPath(destination, from: side.directory)
            let (target, present) = try present(place)
            let plan = try CopyPlan(
                copyingDirectory: status.kind == .directory,
                to: target,
                where: present
            )
            let top = ArchiveTop(source.base, renamed: plan.name ?? (name == source.base ? nil : name))
            var copied = try await unpack(stream, in: plan.directory, top)
            copied.place = place.fullText
            return copied
        } catch {
            throw side.failure(error)
        }
    }

    /// The source, and what it was called: of a link that is to be followed, where it leads.
    private func followed() async throws -> (CopyPath, String) {
        guard side.followsLink, let status = try await side.status(of: container, path),
            status.kind == .symbolicLink
        else { return (path, path.base) }
        return (path.following(status.linkTarget), path.base)
    }

    private func pass(_ stream: ResponseStream<EngineV1.ReadArchiveResponse>) async throws -> Copied {
        var count: Int64 = 0
        while let response = try await stream.next() {
            guard case .data(let bytes)? = response.body else { continue }
            Screen.write(bytes, to: 1)
            count += Int64(bytes.count)
        }
        return Copied(bytes: count, place: "-")
    }

    // MARK: The place

    private func checkPlace(_ place: CopyPath) throws {
        let parent = CopyPath(Array(place.components.dropLast())).text
        guard Files.exists(parent) else {
            throw Failure(side.what, "invalid output path: directory \"\(parent)\" does not exist")
        }
    }

    /// The destination with links at its end followed, and what is there.
    private func present(_ place: CopyPath) throws -> (CopyPath, CopyPlan.Present) {
        var place = place
        for _ in 0..<Self.maximumLinks {
            let status: FileStatus
            do throws(SystemError) { status = try Files.status(of: place.text) } catch {
                guard error.code == ErrorNumber.notFound else { throw error }
                return (place, .nothing)
            }
            switch status.kind {
            case .symbolicLink: place = place.following(try Files.linkTarget(of: place.text))
            case .directory: return (place, .directory)
            case .regular:
                guard !place.assertsDirectory else {
                    throw Failure(side.what, "\(place.text): not a directory")
                }
                return (place, .other)
            default:
                throw Failure(
                    side.what,
                    "invalid output path: \"\(place.text)\" must be a directory or a regular file"
                )
            }
        }
        throw Failure(side.what, "too many symlinks in \(place.text)")
    }

    // MARK: Unpacking

    private func unpack(
        _ stream: ResponseStream<EngineV1.ReadArchiveResponse>,
        in directory: CopyPath,
        _ top: ArchiveTop
    ) async throws -> Copied {
        let target = SharedDescriptor(try Files.open(directory.text, [.path, .directory]))
        let (readEnd, writeEnd) = try CopySide.pipe(readingBlocks: true)
        var rules = UnpackRules()
        rules.keepsKinds = true
        rules.makesDevices = side.keepsOwners
        rules.ownership = side.keepsOwners && CurrentProcess.userID == 0 ? .archived : .process
        let chosen = rules
        let copied = try ThreadWork {
            try Self.unpack(Descriptor(adopting: readEnd), in: target, chosen, top)
        }
        let sent = await pump(stream, to: writeEnd)
        // The engine's word comes first: an archive that was cut off is what follows from it.
        if let sent, !Self.isBrokenPipe(sent) {
            _ = try? await copied.value
            throw sent
        }
        return try await copied.value
    }

    /// - Returns: Why it stopped before the end.
    private func pump(_ stream: ResponseStream<EngineV1.ReadArchiveResponse>, to raw: Int32) async -> (
        any Error
    )? {
        do {
            let writeEnd = SharedDescriptor(Descriptor(adopting: raw))
            let poller = try Poller()
            defer { poller.stop() }
            while let response = try await stream.next() {
                guard case .data(let bytes)? = response.body else { continue }
                try await poller.write(bytes, to: writeEnd)
                side.progress?.add(bytes.count)
            }
            return nil
        } catch {
            return error
        }
    }

    private static func isBrokenPipe(_ error: any Error) -> Bool {
        (error as? SystemError)?.code == ErrorNumber.brokenPipe
    }

    private static func unpack(
        _ pipe: consuming Descriptor,
        in directory: SharedDescriptor,
        _ rules: UnpackRules,
        _ top: ArchiveTop
    ) throws(ArchiveError) -> Copied {
        let reader = TarReader(FileSource(pipe))
        let unpacker = TreeUnpacker(root: directory.raw, rules: rules)
        var count = 0
        while var entry = try reader.next() {
            count += 1
            guard let name = top.renamed(entry.name) else {
                throw .refused(entry: entry.displayName, .leavesRoot)
            }
            entry.name = name
            if entry.kind == .hardLink {
                guard let target = top.renamed(entry.linkTarget) else {
                    let text = String(decoding: entry.linkTarget, as: UTF8.self)
                    throw .refused(entry: entry.displayName, .linkLeavesRoot(target: text))
                }
                entry.linkTarget = target
            }
            try unpacker.unpack(entry, from: reader)
        }
        try unpacker.finish()
        let skipped = unpacker.skippedCount
        return Copied(bytes: reader.plainBytes, skipped: skipped, isNothing: skipped == count, place: "")
    }
}
