// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import RPC
import Rendering
import Suite
import System

/// Options of `rpc`: which server is called, and what goes with a call.
struct RPCTargetOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "A daemon of this suite: engine, runtime-supervisor or image-store. (default: engine)",
            valueName: "name"
        )
    )
    var daemon: String?
    @Option(parsing: .unconditional, help: "Another server: unix:PATH, or HOST:PORT without TLS.")
    var address: String?
    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Sent with each call; base64 where the name ends in -bin; may be repeated.",
            valueName: "name:value"
        )
    )
    var metadata: [String] = []
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How long a call may take, such as 5s or 1m30s.", valueName: "duration")
    )
    var timeout: String?
    @OptionGroup var place: PlaceOptions

    func validate() throws {
        guard daemon == nil || address == nil else {
            throw ValidationError("give --daemon or --address, not both")
        }
    }

    /// - Parameter what: For the message of a failure: `rpc list`.
    func target(_ what: String) throws(Failure) -> RPCTarget {
        let options = try callOptions()
        let address = try RPCTarget.address(daemon: daemon, address: address, place: place, what)
        return RPCTarget(what: what, address: address, isDaemon: self.address == nil, options: options)
    }

    private func callOptions() throws(Failure) -> CallOptions {
        var options = CallOptions()
        if let timeout {
            guard let nanos = Moments.duration(timeout), nanos > 0 else {
                throw Failure(
                    "--timeout '\(timeout)'",
                    "is no span of time",
                    advice: "Write 500ms, 5s or 1m30s.",
                    exitCode: 2
                )
            }
            options.timeout = .nanoseconds(nanos)
        }
        for text in metadata {
            let (name, value) = try RPCMetadataText.pair(text)
            guard Metadata.carries(name) else {
                throw Failure(
                    "--metadata '\(text)'",
                    "'\(name)' is no name, or one that HTTP or gRPC have for themselves",
                    exitCode: 2
                )
            }
            if name.hasSuffix("-bin") {
                guard let bytes = Base64.decode(value.utf8) else {
                    throw Failure("--metadata '\(text)'", "the value is not base64", exitCode: 2)
                }
                options.metadata.add(bytes, for: name)
            } else {
                options.metadata.add(value, for: name)
            }
        }
        return options
    }
}

/// The daemons' names, as users and as sockets have them.
enum DaemonName {
    static let callable = ["engine", "runtime-supervisor", "image-store"]

    static func socketName(_ name: String, _ what: String) throws(Failure) -> String {
        switch name.hasPrefix("petrel-") ? String(name.dropFirst(7)) : name {
        case "engine": return "engine"
        case "runtime-supervisor", "supervisor": return "supervisor"
        case "image-store": return "image-store"
        case "init":
            throw Failure(
                what,
                "petrel-init does not speak gRPC",
                advice: "See 'petrel system status'.",
                exitCode: 2
            )
        default:
            let nearest = Suggestion.nearest(to: name, in: callable).map { "Did you mean \($0)? " } ?? ""
            throw Failure(
                what,
                "no daemon is called '\(name)'",
                advice: nearest + "There are: \(callable.joined(separator: ", ")).",
                exitCode: 2
            )
        }
    }
}

/// One server, and how it is called.
struct RPCTarget: Sendable {
    /// For the message of a failure.
    let what: String
    let address: ServerAddress
    /// One of the suite's own.
    let isDaemon: Bool
    let options: CallOptions
    let channel: Channel

    init(what: String, address: ServerAddress, isDaemon: Bool, options: CallOptions) {
        self.what = what
        self.address = address
        self.isDaemon = isDaemon
        self.options = options
        channel = Channel(to: address)
    }

    /// Where the server is that the options of those names mean.
    static func address(
        daemon: String?,
        address: String?,
        place: PlaceOptions,
        _ what: String
    ) throws(Failure) -> ServerAddress {
        if let address {
            switch try RPCAddress(address) {
            case .unixSocket(let path): return .unixSocket(path)
            case .host(let name, let port): return .tcp(host: name, port: Int(port))
            }
        }
        let name = try DaemonName.socketName(daemon ?? "engine", what)
        do throws(SystemError) {
            return .unixSocket(try SuiteLocation(root: place.root, run: place.run).socket(of: name))
        } catch {
            throw Failure(what, "\(error)", exitCode: 2)
        }
    }

    /// What the user reads when there is no answer, or one that says no.
    func failure(_ error: RPCError) -> Failure {
        // What a server itself says has details; a connection that is not there has none.
        guard error.code == .unavailable, error.details.isEmpty else {
            return Failure(what, error.description, advice: error.detail?.advice ?? "")
        }
        if case .unixSocket(let path) = address, !Files.exists(path) {
            let advice =
                "Start the daemons with 'petrel system start', or give --root and --run of a suite that runs."
            return Failure(what, "no server at \(path)", advice: isDaemon ? advice : "")
        }
        let advice =
            switch address {
            case .unixSocket: isDaemon ? "See 'petrel system status'." : ""
            case .tcp: "The server must speak HTTP/2 without TLS; what needs TLS cannot be called yet."
            }
        return Failure(what, "no answer at \(address): \(error.message)", advice: advice)
    }
}
