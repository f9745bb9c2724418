// SPDX-License-Identifier: Apache-2.0
internal import AsyncHTTPClient
internal import JSON
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import Synchronization
internal import OCI

/// A manifest as the registry has it.
package struct FetchedManifest: Sendable {
    package let bytes: [UInt8]
    package let mediaType: String

    package init(bytes: [UInt8], mediaType: String) {
        self.bytes = bytes
        self.mediaType = mediaType
    }
}

/// One repository of one registry, for the time of one pull. Owns the token that opens it.
package final class RegistrySession: Sendable {
    static let maximumAttempts = 5
    /// The bound for an answer's headers, and for a small answer as a whole. A blob's parts have their own.
    private static let answerTime = Duration.seconds(90)
    private static let smallAnswerTime = Duration.seconds(120)
    private static let blobTime = Duration.seconds(12 * 3_600)
    private static let accept = [
        MediaType.ociManifest, MediaType.ociIndex, MediaType.dockerManifest, MediaType.dockerList,
    ]

    private let client: HTTPClient
    private let base: String
    let registry: String
    let repository: String
    private let credentials: RegistryCredentials?
    let logger: Logger
    private let authorization = Mutex<String?>(nil)

    init(
        client: HTTPClient,
        base: String,
        registry: String,
        repository: String,
        credentials: RegistryCredentials?,
        logger: Logger
    ) {
        self.client = client
        self.base = base
        self.registry = registry
        self.repository = repository
        self.credentials = credentials
        self.logger = logger
    }

    /// Asks the registry whether it is one.
    func ping() async throws(RegistryError) {
        let response = try await send("/v2/")
        await discard(response)
    }

    /// The manifest or index of a tag or digest; whether it has that digest, the caller checks.
    /// - Throws: `.notFound`, `.unauthorized`, `.malformed` when it exceeds `Manifest.limitBytes`.
    package func manifest(_ tagOrDigest: String) async throws(RegistryError) -> FetchedManifest {
        let path = "/v2/\(repository)/manifests/\(tagOrDigest)"
        let separator = tagOrDigest.contains(":") ? "@" : ":"
        let reference = "\(registry)/\(repository)\(separator)\(tagOrDigest)"
        return try await retrying(reference) { () async throws(RegistryError) in
            let response = try await authorized(
                path,
                headers: [("accept", Self.accept.joined(separator: ", "))]
            )
            try await check(response, reference: reference, path: path)
            let type = response.headers.first(name: "content-type") ?? ""
            let bytes = try await collect(response, limit: Manifest.limitBytes)
            return FetchedManifest(
                bytes: bytes,
                mediaType: String(type.prefix { $0 != ";" && $0 != " " })
            )
        }
    }

    // MARK: Requests

    private func retrying<R: Sendable>(
        _ subject: String,
        _ body: () async throws(RegistryError) -> R
    ) async throws(RegistryError) -> R {
        var failures = 0
        while true {
            let failure: RegistryError
            do throws(RegistryError) { return try await body() } catch { failure = error }
            failures += 1
            switch failure {
            case .unreachable, .tooManyRequests: break
            case .unexpectedStatus(_, _, let status, _) where status >= 500: break
            default: throw failure
            }
            guard failures < Self.maximumAttempts else { throw failure }
            logger.warning(
                "registry request failed, trying again",
                metadata: ["subject": "\(subject)", "error": "\(failure)"]
            )
            try await backOff(failures)
        }
    }

    /// 0.2, 0.4, 0.8, … seconds.
    func backOff(_ failures: Int) async throws(RegistryError) {
        do {
            try await Task.sleep(for: .milliseconds(100 << min(failures, 6)))
        } catch {
            throw .cancelled
        }
    }

    /// Sends a request, and once more with what the registry wants to see.
    func authorized(
        _ path: String,
        headers: [(String, String)],
        isBlob: Bool = false
    ) async throws(RegistryError) -> HTTPClientResponse {
        let response = try await send(path, headers: headers, isBlob: isBlob)
        guard response.status == .unauthorized else { return response }
        let challenges = response.headers["www-authenticate"].compactMap { Challenge(header: $0) }
        await discard(response)
        guard let challenge = challenges.first(where: { $0.scheme == "bearer" }) ?? challenges.first else {
            throw .unauthorized(reference: repository, registry: registry, message: "")
        }
        if challenge.scheme == "basic" {
            guard let credentials else {
                throw .unauthorized(
                    reference: repository,
                    registry: registry,
                    message: "it asks for a user and password"
                )
            }
            authorization.withLock { $0 = credentials.basic }
        } else {
            let token = try await token(challenge)
            authorization.withLock { $0 = "Bearer " + token }
        }
        return try await send(path, headers: headers, isBlob: isBlob)
    }

    private func token(_ challenge: Challenge) async throws(RegistryError) -> String {
        guard let realm = challenge.parameters["realm"],
            realm.hasPrefix("https://") || realm.hasPrefix("http://")
        else {
            throw .malformed(registry: registry, reason: "its challenge names no token server")
        }
        var query = ["scope=" + Self.escaped("repository:\(repository):pull")]
        if let service = challenge.parameters["service"] { query.append("service=" + Self.escaped(service)) }
        let url = realm + (realm.contains("?") ? "&" : "?") + query.joined(separator: "&")
        let mayAuthenticate = challenge.mayGetCredentials(from: base)
        if !mayAuthenticate, credentials != nil {
            logger.warning(
                "no credentials for a token server without TLS",
                metadata: ["registry": "\(registry)", "realm": "\(realm.prefix(300))"]
            )
        }
        let response = try await send(
            url: url,
            headers: mayAuthenticate ? credentials.map { [("authorization", $0.basic)] } ?? [] : []
        )
        guard response.status == .ok else {
            let message = await message(of: response)
            throw .unauthorized(reference: repository, registry: registry, message: message)
        }
        let bytes = try await collect(response, limit: 1 << 20)
        guard let json = try? JSON(parsing: bytes),
            let token = json["token"]?.string ?? json["access_token"]?.string,
            !token.isEmpty, token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
        else { throw .malformed(registry: registry, reason: "its token server gave no token") }
        return token
    }

    private func send(
        _ path: String,
        headers: [(String, String)] = [],
        isBlob: Bool = false
    ) async throws(RegistryError) -> HTTPClientResponse {
        var headers = headers
        if let value = authorization.withLock({ $0 }) { headers.append(("authorization", value)) }
        return try await send(url: base + path, headers: headers, isBlob: isBlob)
    }

    private func send(
        url: String,
        headers: [(String, String)],
        isBlob: Bool = false
    ) async throws(RegistryError) -> HTTPClientResponse {
        var request = HTTPClientRequest(url: url)
        request.headers.add(contentsOf: headers)
        request.headers.add(name: "user-agent", value: "petrel")
        let (client, whole) = (client, isBlob ? Self.blobTime : Self.smallAnswerTime)
        let sent = request
        do {
            return try await withThrowingTaskGroup(of: HTTPClientResponse?.self) { group in
                group.addTask { try await client.execute(sent, timeout: .init(whole)) }
                group.addTask {
                    try await Task.sleep(for: Self.answerTime)
                    return nil
                }
                defer { group.cancelAll() }
                guard let response = try await group.next() ?? nil else { throw AnswerTimeout() }
                return response
            }
        } catch is CancellationError {
            throw .cancelled
        } catch {
            if Task.isCancelled { throw .cancelled }
            throw .unreachable(registry: registry, reason: FailureText.of(error))
        }
    }

    func check(_ response: HTTPClientResponse, reference: String, path: String)
        async throws(RegistryError)
    {
        switch response.status.code {
        case 200, 206: return
        case 404:
            await discard(response)
            throw .notFound(reference: reference, registry: registry)
        case 401, 403:
            let message = await message(of: response)
            throw .unauthorized(reference: reference, registry: registry, message: message)
        case 429:
            await discard(response)
            throw .tooManyRequests(registry: registry)
        default:
            let message = await message(of: response)
            throw .unexpectedStatus(
                registry: registry,
                path: path,
                status: Int(response.status.code),
                message: message
            )
        }
    }

    private func collect(_ response: HTTPClientResponse, limit: Int) async throws(RegistryError) -> [UInt8] {
        do {
            var bytes: [UInt8] = []
            for try await buffer in response.body {
                guard bytes.count + buffer.readableBytes <= limit else {
                    throw RegistryError.malformed(
                        registry: registry,
                        reason: "an answer exceeds \(limit) bytes"
                    )
                }
                bytes += buffer.readableBytesView
            }
            return bytes
        } catch let error as RegistryError {
            throw error
        } catch {
            if Task.isCancelled || error is CancellationError { throw .cancelled }
            throw .unreachable(registry: registry, reason: FailureText.of(error))
        }
    }

    /// What the registry says about an error, one line.
    private func message(of response: HTTPClientResponse) async -> String {
        guard let bytes = try? await collect(response, limit: 64 << 10), let json = try? JSON(parsing: bytes),
            let first = json["errors"]?[0]
        else { return "" }
        let text = first["message"]?.string ?? first["code"]?.string ?? ""
        return String(
            text.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7f }.prefix(300).map(
                Character.init
            )
        )
    }

    private func discard(_ response: HTTPClientResponse) async {
        _ = try? await collect(response, limit: 1 << 20)
    }

    private static func escaped(_ text: String) -> String {
        let hex = Array("0123456789ABCDEF")
        return text.utf8.map { byte in
            let isPlain =
                (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                || [0x2d, 0x2e, 0x5f, 0x7e].contains(byte)
            return isPlain ? String(UnicodeScalar(byte)) : "%\(hex[Int(byte >> 4)])\(hex[Int(byte & 15)])"
        }.joined()
    }
}

private struct AnswerTimeout: Error, CustomStringConvertible {
    let description = "no answer in time"
}
