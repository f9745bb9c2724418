// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import RPC
import Rendering
import Services
import System

struct Load: EngineCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        _superCommandName: Petrel.name,
        abstract:
            "Load images from an archive, as 'docker save' or OCI tools write them; plain, gzip or zstd.",
        discussion: "EXAMPLE:\n  petrel load -i busybox.tar\n  zcat images.tar.gz | petrel load"
    )

    private static let chunkSize = 256 << 10

    @Option(
        name: [.short, .long],
        parsing: .unconditional,
        help: ArgumentHelp("Read this file instead of standard input.", valueName: "file")
    )
    var input: String?
    @Flag(name: [.short, .long], help: "Show no progress.") var quiet = false
    @Option(name: .long, parsing: .unconditional, help: "What to take of each image, such as linux/amd64.")
    var platform = ""
    @OptionGroup var place: PlaceOptions

    func run(_ engine: EngineConnection) async throws {
        let what = "load \(input ?? "standard input")"
        if input == nil, CurrentProcess.isTerminal(0) {
            throw Failure(
                what,
                "is a terminal",
                advice: "Give an archive with -i FILE, or redirect one to the command."
            )
        }
        var interruptions = Interruptions()
        while true {
            let archive = try open(what)
            do {
                return try await load(archive, into: engine)
            } catch let error as RPCError {
                // Loading is idempotent; a pipe's bytes are gone.
                guard isRegular(archive), interruptions.count(error) else {
                    throw engine.failure(what, error)
                }
                try await engine.comeBack(what, after: error)
            } catch let error as SystemError {
                throw Failure(what, "\(error)")
            }
        }
    }

    private func open(_ what: String) throws(Failure) -> SharedDescriptor {
        do throws(SystemError) {
            return SharedDescriptor(try Files.open(input ?? "/proc/self/fd/0", .readOnly))
        } catch {
            throw Failure(what, error.code == 2 ? "no such file" : error.name)
        }
    }

    private func isRegular(_ archive: SharedDescriptor) -> Bool {
        (try? Files.status(ofDescriptor: archive.raw))?.kind == .regular
    }

    private func load(_ archive: SharedDescriptor, into engine: EngineConnection) async throws {
        try await engine.images.load { requests, responses in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                defer { group.cancelAll() }
                group.addTask {
                    try await send(archive, to: requests)
                    return false
                }
                group.addTask {
                    try await show(responses)
                    return true
                }
                // The engine's last word ends it: it has all it wants, and whatever the archive has left is padding.
                while let isLast = try await group.next(), !isLast {}
            }
        }
    }

    private func send(_ archive: SharedDescriptor, to requests: RequestWriter<EngineV1.LoadRequest>)
        async throws
    {
        while true {
            var failure: SystemError?
            let chunk = [UInt8](unsafeUninitializedCapacity: Self.chunkSize) { buffer, count in
                do throws(SystemError) {
                    count = try Files.read(archive.raw, into: UnsafeMutableRawBufferPointer(buffer))
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
            if chunk.isEmpty { break }
            do { try await requests.write(EngineV1.LoadRequest(data: chunk, platform: platform)) } catch {
                // The call is over; its responses say how.
                return
            }
        }
        requests.finish()
    }

    private func show(_ responses: ResponseStream<EngineV1.ProgressResponse>) async throws {
        var display = ProgressDisplay(isQuiet: quiet || !Screen.isErrorTerminal)
        while let response = try await responses.next() {
            guard !response.imageId.isEmpty else {
                display.show(response)
                continue
            }
            if response.references.isEmpty { Screen.print("Loaded image ID: \(response.imageId)") }
            for reference in response.references { Screen.print("Loaded image: \(reference)") }
        }
    }
}
