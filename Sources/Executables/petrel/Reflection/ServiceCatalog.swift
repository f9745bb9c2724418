// SPDX-License-Identifier: Apache-2.0
import Definitions
import DynamicMessages
import Rendering

/// A server's services and definitions, by the names that users give: full ones, or their last parts where these are
/// clear (`System` for `petrel.engine.v1.System`).
struct ServiceCatalog {
    private let reflection: Reflection
    private(set) var pool = DefinitionPool()

    private var what: String { reflection.target.what }

    init(_ target: RPCTarget) { reflection = Reflection(target: target) }

    func serviceNames() async throws(Failure) -> [String] { try await reflection.services() }

    /// - Throws: with what may have been meant, for a name that is none.
    mutating func service(_ name: String) async throws(Failure) -> ServiceDefinition {
        let names = try await serviceNames()
        let fullName = try Self.resolve(name, in: names) { why, advice in
            Failure(what, "the server has no service '\(name)'" + why, advice: advice, exitCode: 2)
        }
        try await reflection.load([fullName], into: &pool)
        guard let service = pool.service(fullName) else {
            throw Failure(what, "the server does not know the definition of \(fullName)")
        }
        return service
    }

    /// - Parameter name: `SERVICE/METHOD`, or with a point between.
    mutating func method(_ name: String) async throws(Failure) -> (
        ServiceDefinition, ServiceDefinition.Method
    ) {
        guard let end = name.lastIndex(of: "/") ?? name.lastIndex(of: "."), end != name.startIndex else {
            throw Failure(
                what,
                "'\(name)' is no method",
                advice: "Write SERVICE/METHOD; 'petrel rpc list' shows the services.",
                exitCode: 2
            )
        }
        let service = try await service(String(name[..<end]))
        let wanted = name[name.index(after: end)...]
        if let method = service.methods.first(where: { $0.name == wanted }) { return (service, method) }
        let known = service.methods.map(\.name)
        let nearest = Suggestion.nearest(to: String(wanted), in: known, limit: 3)
        throw Failure(
            what,
            "\(service.fullName) has no method '\(wanted)'",
            advice: nearest.map { "Did you mean '\(service.fullName)/\($0)'?" }
                ?? "It has: \(known.joined(separator: ", ")).",
            exitCode: 2
        )
    }

    /// Anything that can be described.
    mutating func symbol(_ name: String) async throws(Failure) -> DefinitionPool.Symbol {
        let path = String(name.map { $0 == "/" ? "." : $0 })
        try await reflection.load([path], into: &pool)
        if let symbol = pool.symbol(path) { return symbol }
        try await loadAll()
        let fullName = try Self.resolve(path, in: pool.names) { why, advice in
            Failure(what, "the server has no '\(name)'" + why, advice: advice, exitCode: 2)
        }
        guard let symbol = pool.symbol(fullName) else { throw Failure(what, "the server has no '\(name)'") }
        return symbol
    }

    /// The definitions of all services, and of all that these use.
    mutating func loadAll() async throws(Failure) {
        try await reflection.load(await serviceNames(), into: &pool)
    }

    /// The definitions of symbols, as far as the server has them.
    mutating func load(_ symbols: [String]) async throws(Failure) {
        try await reflection.load(symbols, into: &pool)
    }

    /// All names of a kind, and what is enough of each where it is clear.
    mutating func names(
        _ kind: Completion.RPCNames
    ) async throws(Failure) -> [(full: String, short: String)] {
        func short(_ name: String) -> String { name.split(separator: ".").last.map(String.init) ?? name }
        guard kind != .services else { return try await serviceNames().map { ($0, short($0)) } }
        try await loadAll()
        guard kind == .methods else { return pool.names.map { ($0, short($0)) } }
        return pool.services.flatMap { service in
            service.methods.map {
                ("\(service.fullName)/\($0.name)", "\(service.name)/\($0.name)")
            }
        }
    }

    /// A name that is there, whole or as the last part of exactly one other.
    private static func resolve(
        _ name: String,
        in names: [String],
        _ failure: (_ why: String, _ advice: String) -> Failure
    ) throws(Failure) -> String {
        if names.contains(name) { return name }
        let candidates = names.filter { $0.hasSuffix("." + name) }
        if candidates.count == 1 { return candidates[0] }
        if !candidates.isEmpty {
            throw failure(" alone", "There are: \(candidates.prefix(5).joined(separator: ", ")).")
        }
        let parts = name.split(separator: ".").count
        let short = Dictionary(
            names.map { ($0.split(separator: ".").suffix(max(1, parts)).joined(separator: "."), $0) },
            uniquingKeysWith: { first, _ in first }
        )
        let nearest =
            Suggestion.nearest(to: name, in: names)
            ?? Suggestion.nearest(to: name, in: short.keys.sorted()).flatMap { short[$0] }
        throw failure(
            "",
            nearest.map { "Did you mean '\($0)'?" } ?? "'petrel rpc list' shows what it has."
        )
    }
}
