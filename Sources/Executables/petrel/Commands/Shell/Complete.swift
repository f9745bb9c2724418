// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import RPC
import Rendering
import Services
import System

/// What the shells' completion scripts call: one candidate a line, its help after a tab; `:files` asks the shell for names
/// of files. Silent about everything that fails, and quick: nobody waits for an engine that is away.
struct Complete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "__complete",
        _superCommandName: Petrel.name,
        abstract: "Candidates for the last word of a command line.",
        shouldDisplay: false
    )

    private static let options = CallOptions(timeout: .seconds(2))
    private static let most = 1000

    @Argument(parsing: .captureForPassthrough, help: "The words behind 'petrel', the last one unfinished.")
    var words: [String] = []
    @OptionGroup var place: PlaceOptions

    func run() async throws {
        let words = words.first == "--" ? Array(words.dropFirst()) : words
        let current = words.last ?? ""
        switch Completion.of(Self.takingPlaces(words), in: try CommandTree.root()) {
        case .words(let found): show(found, current)
        case .files: Screen.print(":files")
        case .placesToCopy:
            // What is in a container is not looked at.
            guard !current.contains(":") else { return }
            show(await containers(.all).map { Completion.Word($0.text + ":", $0.help) }, current)
            Screen.print(":files")
        case .containers(let kind): show(await containers(kind), current)
        case .images: show(await images(), current)
        case .rpc(let kind): show(await names(kind, words), current)
        case .containersAndImages: show(await containers(.all) + (await images()), current)
        }
    }

    /// `petrel --root DIR ps`: the places before the command count, and are no part of it.
    private static func takingPlaces(_ words: [String]) -> [String] {
        var rest = words[...]
        while rest.count > 2, let word = rest.first, word == "--root" || word == "--run" {
            SystemEnvironment.set(word == "--root" ? "PETREL_ROOT" : "PETREL_RUN", rest[rest.startIndex + 1])
            rest = rest.dropFirst(2)
        }
        return Array(rest)
    }

    private func show(_ words: [Completion.Word], _ current: String) {
        let lines = words.filter { $0.text.hasPrefix(current) }.prefix(Self.most).map { word in
            word.help.isEmpty ? word.text : word.text + "\t" + word.help
        }
        if !lines.isEmpty { Screen.print(lines.joined(separator: "\n")) }
    }

    private func containers(_ kind: Completion.Containers) async -> [Completion.Word] {
        guard let engine = try? EngineConnection(place.location()) else { return [] }
        do throws(RPCError) {
            let list = try await engine.containers.list(
                EngineV1.ListRequest(all: true),
                options: Self.options
            )
            return list.containers.filter { container in
                switch kind {
                case .all: true
                case .running: ["running", "paused", "restarting"].contains(container.state)
                case .stopped: ["created", "exited"].contains(container.state)
                case .paused: container.state == "paused"
                }
            }.map { Completion.Word($0.name, "\($0.state), \($0.image)") }
        } catch {
            return []
        }
    }

    private func images() async -> [Completion.Word] {
        guard let engine = try? EngineConnection(place.location()) else { return [] }
        do throws(RPCError) {
            let list = try await engine.images.list(EngineV1.ListImagesRequest(), options: Self.options)
            return list.images.flatMap { image -> [Completion.Word] in
                let names = image.references.flatMap { reference -> [String] in
                    let name = ImageName(reference)
                    return name.tag == "latest" ? [name.repository, reference] : [reference]
                }
                return names.map { Completion.Word($0, Shortened.id(image.id)) }
            }
        } catch {
            return []
        }
    }

    /// What a server tells of itself; in short too, once something is typed.
    private func names(_ kind: Completion.RPCNames, _ words: [String]) async -> [Completion.Word] {
        func value(of option: String) -> String? {
            if let place = words.lastIndex(of: option) { return words.dropFirst(place + 1).first }
            return words.last { $0.hasPrefix(option + "=") }.map { String($0.dropFirst(option.count + 1)) }
        }
        do throws(Failure) {
            let address = try RPCTarget.address(
                daemon: value(of: "--daemon"),
                address: value(of: "--address"),
                place: place,
                ""
            )
            var catalog = ServiceCatalog(
                RPCTarget(what: "", address: address, isDaemon: false, options: Self.options)
            )
            let names = try await catalog.names(kind)
            let isBegun = words.last?.isEmpty == false
            return names.flatMap { isBegun ? [$0.full, $0.short] : [$0.full] }.map { Completion.Word($0) }
        } catch {
            return []
        }
    }
}
