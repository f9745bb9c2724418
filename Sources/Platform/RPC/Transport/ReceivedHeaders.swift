// SPDX-License-Identifier: Apache-2.0

/// Header fields as they arrive: the ones that HTTP/2 and gRPC define, and the rest as metadata.
///
/// nghttp2 leaves it to us whether a list is well-formed: for what comes again and again that is known already. Most fields are one of a dozen that every call has (`KnownField`), and are told by their place in memory (`HeaderCache`).
final class ReceivedHeaders {
    /// Most bytes of a header list, names and values; more is refused.
    static let limit = 32 << 10

    /// What `content-type` says.
    enum Content { case missing, grpc, other }

    private(set) var isPost = false
    private(set) var path = ""
    private(set) var httpStatus: Int?
    private(set) var content = Content.missing
    private(set) var timeout: String?
    /// `grpc-encoding`.
    private(set) var encoding: Compression.Name = .identity
    /// `grpc-accept-encoding` names gzip.
    private(set) var acceptsGzip = false
    /// `grpc-status`; nil when there is none.
    private(set) var statusCode: StatusCode?
    var message: String { rare?.message ?? "" }
    var details: [UInt8]? { rare?.details }
    var metadata: Metadata { rare?.metadata ?? Metadata() }
    var hasMetadata: Bool { rare?.metadata.isEmpty == false }
    private(set) var isTooLarge = false
    /// What is kept, with 32 bytes for each field.
    private(set) var size = 0
    /// `content-length`.
    var contentLength: Int? { rare?.contentLength }
    private var limit = ReceivedHeaders.limit
    private var parts: Parts = []
    /// Apart: most lists are made, handed on and dropped without.
    private var rare: Rare?
    private var isMalformed = false

    /// What few lists have. It belongs to one list.
    private final class Rare {
        var message = ""
        var details: [UInt8]?
        var metadata = Metadata()
        var contentLength: Int?
    }

    /// What a list has been found to have: HTTP's own fields, and any other.
    private struct Parts: OptionSet {
        let rawValue: UInt8

        static let method = Parts(rawValue: 1)
        static let scheme = Parts(rawValue: 2)
        static let authority = Parts(rawValue: 4)
        static let path = Parts(rawValue: 8)
        static let status = Parts(rawValue: 16)
        static let others = Parts(rawValue: 32)
        static let ofRequest: Parts = [.method, .scheme, .path]
    }

    /// A list begins.
    /// - Parameter room: Most bytes that are kept of it, if that is less than the limit.
    func begin(room: Int) {
        reset()
        limit = min(Self.limit, room)
    }

    /// Nothing is kept of what few lists have.
    func reset() {
        guard size != 0 || isTooLarge || isMalformed else { return }
        isPost = false
        if !path.isEmpty { path = "" }
        httpStatus = nil
        content = .missing
        if timeout != nil { timeout = nil }
        encoding = .identity
        acceptsGzip = false
        statusCode = nil
        isTooLarge = false
        size = 0
        parts = []
        if rare != nil { rare = nil }
        isMalformed = false
    }

    /// Where a list stands.
    enum Place { case request, response, trailers }

    /// Whether it is what RFC 9113, 8.2 and 8.3, demands of a list at its place. One that is too large never is known to be
    /// otherwise.
    @inline(__always)
    func isWellFormed(as place: Place) -> Bool {
        guard !isTooLarge else { return true }
        guard !isMalformed else { return false }
        let ofHTTP = parts.subtracting(.others)
        return switch place {
        case .request: ofHTTP.subtracting(.authority) == .ofRequest
        case .response: ofHTTP == .status
        case .trailers: ofHTTP.isEmpty
        }
    }

    /// A field that is one of few.
    /// - Parameter size: Of name and value, with 32 bytes for the field.
    func add(_ field: KnownField, size added: Int) {
        guard hasRoom(for: added) else { return }
        switch field {
        case .method(let isPost):
            note(.method)
            self.isPost = isPost
            return
        case .scheme: return note(.scheme)
        case .authority: return note(.authority)
        case .status(let status):
            note(.status)
            httpStatus = status
            return
        case .malformed: isMalformed = true
        case .ignored: break
        case .content(let content): self.content = content
        case .encoding(let name): encoding = name
        case .acceptsGzip(let accepts): acceptsGzip = accepts
        case .statusCode(let code): statusCode = code
        }
        parts.insert(.others)
    }

    /// One of HTTP's own fields: each stands there once, and before all others.
    private func note(_ part: Parts) {
        if !parts.isDisjoint(with: [part, .others]) { isMalformed = true }
        parts.insert(part)
    }

    /// The path of a request.
    func add(path: String) {
        guard hasRoom(for: ":path".utf8.count + path.utf8.count + 32) else { return }
        note(.path)
        if path.utf8.first != 0x2f { isMalformed = true }
        self.path = path
    }

    /// What is no field at all.
    func addMalformed() { isMalformed = true }

    /// Any other field.
    func add(
        _ name: UnsafeBufferPointer<UInt8>,
        _ value: UnsafeBufferPointer<UInt8>
    ) {
        guard hasRoom(for: name.count + value.count + 32) else { return }
        parts.insert(.others)
        if name.equals("grpc-timeout") {
            timeout = String(decoding: value, as: UTF8.self)
        } else {
            let rare = rare ?? Rare()
            self.rare = rare
            add(name, value, to: rare)
        }
    }

    private func add(
        _ name: UnsafeBufferPointer<UInt8>,
        _ value: UnsafeBufferPointer<UInt8>,
        to rare: Rare
    ) {
        if name.equals("content-length") {
            if rare.contentLength != nil || value.number == nil { isMalformed = true }
            rare.contentLength = value.number
        } else if name.equals("grpc-message") {
            rare.message = StatusEncoding.decode(message: Array(value))
        } else if name.equals("grpc-status-details-bin") {
            rare.details = Base64.decode(value)
        } else {
            Self.add(String(decoding: name, as: UTF8.self), value, to: &rare.metadata)
        }
    }

    private func hasRoom(for added: Int) -> Bool {
        guard !isTooLarge, size + added <= limit else {
            isTooLarge = true
            return false
        }
        size += added
        return true
    }

    private static func add(
        _ name: String,
        _ value: UnsafeBufferPointer<UInt8>,
        to metadata: inout Metadata
    ) {
        guard name.hasSuffix("-bin") else {
            metadata.add(String(decoding: value, as: UTF8.self), for: name)
            return
        }
        // Values of one name may have been joined with commas on the way.
        for part in value.split(separator: 0x2c, omittingEmptySubsequences: false) {
            let trimmed = part.drop { $0 == 0x20 }
            if let bytes = Base64.decode(trimmed) { metadata.add(bytes, for: name) }
        }
    }
}
