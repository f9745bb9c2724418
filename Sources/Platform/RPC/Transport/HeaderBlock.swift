// SPDX-License-Identifier: Apache-2.0
internal import CNGHTTP2

/// Header fields to send: those that every list of its kind has, which stand in the program, and a list's own.
struct HeaderBlock: Sendable {
    /// The fields that never change, but for a request's path, and who is called over TCP.
    private enum Kind {
        case request(path: String, Authority?)
        case response, responseTrailers, trailers, bare
    }

    /// Who is called over TCP.
    final class Authority: Sendable {
        let name: String
        let isSecure: Bool

        init(_ name: String, isSecure: Bool) {
            self.name = name
            self.isSecure = isSecure
        }
    }

    private let kind: Kind
    /// Nil when there are none, as mostly.
    private var own: Own?

    /// A list's own fields.
    private struct Own {
        var bytes: [UInt8] = []
        var lengths: [(name: Int, value: Int)] = []
    }

    private init(_ kind: Kind) { self.kind = kind }

    private mutating func add(_ name: String, _ value: String) { add(name, value.utf8) }

    private mutating func add(_ name: String, _ value: some Collection<UInt8>) {
        var own = own.take() ?? Own()
        own.bytes += name.utf8
        own.bytes += value
        own.lengths.append((name.utf8.count, value.count))
        self.own = own
    }

    /// Entries that cannot stand in a header (reserved names, control characters) are left out, and spaces around a text.
    private mutating func add(_ metadata: Metadata) {
        for entry in metadata.entries where Self.isAllowed(entry.name) {
            switch entry.value {
            case .text(let text):
                guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 <= 0x7e }) else { continue }
                add(entry.name, Self.trimmed(text))
            case .bytes(let bytes):
                add(entry.name, Base64.encode(bytes))
            }
        }
    }

    private static func trimmed(_ text: String) -> String {
        guard text.utf8.first == 0x20 || text.utf8.last == 0x20 else { return text }
        var rest = text.utf8.drop { $0 == 0x20 }
        while rest.last == 0x20 { rest.removeLast() }
        return String(Substring(rest))
    }

    /// Calls `body` with the fields as nghttp2 wants them; it copies those that do not stand in the program.
    func withFields<Result>(_ body: (UnsafePointer<nghttp2_nv>?, Int) -> Result) -> Result {
        let fixed =
            switch kind {
            case .request(_, nil): Self.localRequestFields
            case .request: Self.requestFields
            case .response: Self.responseFields
            case .responseTrailers: Self.responseTrailerFields
            case .trailers: Self.trailerFields
            case .bare: Self.noFields
            }
        guard case .request(var path, let authority) = kind else {
            guard let own else { return body(fixed.baseAddress, fixed.count) }
            return Self.withFields(fixed, own) { body($0.baseAddress, $0.count) }
        }
        return Self.withFields(fixed, own) { fields in
            path.withUTF8 { path in
                fields[Self.pathIndex].value = UnsafeMutablePointer(mutating: path.baseAddress)
                fields[Self.pathIndex].valuelen = path.count
                guard let authority else { return body(fields.baseAddress, fields.count) }
                if authority.isSecure { fields[Self.schemeIndex] = Self.secureScheme }
                var host = authority.name
                return host.withUTF8 { host in
                    fields[Self.authorityIndex] = Self.field(":authority", nil)
                    fields[Self.authorityIndex].value = UnsafeMutablePointer(mutating: host.baseAddress)
                    fields[Self.authorityIndex].valuelen = host.count
                    return body(fields.baseAddress, fields.count)
                }
            }
        }
    }

    /// A list that `body` may change.
    private static func withFields<Result>(
        _ fixed: UnsafeBufferPointer<nghttp2_nv>,
        _ own: Own?,
        _ body: (UnsafeMutableBufferPointer<nghttp2_nv>) -> Result
    ) -> Result {
        let count = fixed.count + (own?.lengths.count ?? 0)
        return withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: count) { fields in
            _ = fields.initialize(from: fixed)
            guard let own else { return body(fields) }
            return own.bytes.withUnsafeBufferPointer { buffer in
                fill(fields, after: fixed.count, with: own.lengths, from: buffer.baseAddress)
                return body(fields)
            }
        }
    }

    private static func fill(
        _ fields: UnsafeMutableBufferPointer<nghttp2_nv>,
        after count: Int,
        with lengths: [(name: Int, value: Int)],
        from base: UnsafePointer<UInt8>?
    ) {
        guard let base else { return }
        var start = UnsafeMutablePointer(mutating: base)
        for (index, length) in lengths.enumerated() {
            fields.initializeElement(
                at: count + index,
                to: nghttp2_nv(
                    name: start,
                    value: start + length.name,
                    namelen: length.name,
                    valuelen: length.value,
                    flags: 0
                )
            )
            start += length.name + length.value
        }
    }

    static func isAllowed(_ name: String) -> Bool {
        let isText = name.utf8.allSatisfy { byte in
            (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2d || byte == 0x5f
                || byte == 0x2e
        }
        // What is gRPC's own, but for a server's word about repeating the call.
        let isOurs = name.hasPrefix("grpc-") && name != "grpc-retry-pushback-ms"
        return isText && !name.isEmpty && !isOurs && !reserved.contains(name)
    }

    private static let reserved: Set<String> = [
        "te", "content-type", "user-agent", "connection", "transfer-encoding", "host", "upgrade",
        "keep-alive",
        "proxy-connection", "content-length",
    ]
}

// MARK: - The lists

extension HeaderBlock {
    /// What opens a call.
    /// - Parameter authority: Who is called over TCP; nil on a Unix socket.
    static func request(
        method: String,
        to authority: Authority?,
        options: CallOptions,
        trace: TraceContext?,
        remaining: Duration?
    ) -> HeaderBlock {
        var block = HeaderBlock(.request(path: method, authority))
        if let remaining { block.add("grpc-timeout", StatusEncoding.encode(timeout: remaining)) }
        if options.compression == .gzip { block.add("grpc-encoding", "gzip") }
        if authority == nil, options.asksForCompression || options.compression != nil {
            block.add("grpc-accept-encoding", "gzip")
        }
        if let trace {
            var metadata = options.metadata
            trace.add(to: &metadata)
            block.add(metadata)
        } else if !options.metadata.isEmpty {
            block.add(options.metadata)
        }
        return block
    }

    /// What opens an answer.
    static func response(_ metadata: Metadata, isCompressed: Bool) -> HeaderBlock {
        var block = HeaderBlock(.response)
        block.addOpening(metadata, isCompressed: isCompressed)
        return block
    }

    /// How a call ended, whose answer was opened before.
    static func trailers(_ error: RPCError?, _ metadata: Metadata) -> HeaderBlock {
        var block = HeaderBlock(error == nil ? .trailers : .bare)
        block.addEnd(error, metadata)
        return block
    }

    /// An answer that has no message.
    static func responseTrailers(
        _ error: RPCError?,
        initial: Metadata = Metadata(),
        trailing: Metadata = Metadata()
    ) -> HeaderBlock {
        var block = HeaderBlock(error == nil ? .responseTrailers : .response)
        // Whose encoding was refused is to learn which ones are not.
        if error?.code == .unimplemented { block.add("grpc-accept-encoding", "gzip") }
        block.addOpening(initial, isCompressed: false)
        block.addEnd(error, trailing)
        return block
    }

    /// To whom does not speak gRPC.
    static func refusal(httpStatus: Int) -> HeaderBlock {
        var block = HeaderBlock(.bare)
        block.add(":status", String(httpStatus))
        return block
    }

    private mutating func addOpening(_ metadata: Metadata, isCompressed: Bool) {
        if isCompressed { add("grpc-encoding", "gzip") }
        if !metadata.isEmpty { add(metadata) }
    }

    private mutating func addEnd(_ error: RPCError?, _ metadata: Metadata) {
        if let error {
            add("grpc-status", String(error.code.rawValue))
            if !error.message.isEmpty { add("grpc-message", StatusEncoding.encode(message: error.message)) }
            if let details = StatusEncoding.details(of: error) {
                add("grpc-status-details-bin", Base64.encode(details))
            }
        }
        if !metadata.isEmpty { add(metadata) }
    }

    // MARK: - The fields that never change

    private static let schemeIndex = 1
    private static let authorityIndex = 2
    private static let pathIndex = 3

    // Their pointers are to the program's own constants.
    /// On a Unix socket the kernel says who calls, so the request need not; and answers are not to be compressed, unless a list's
    /// own fields say so.
    nonisolated(unsafe) private static let localRequestFields = list([
        field(":method", "POST"), field(":scheme", "http"), field(":authority", "localhost"),
        field(":path", nil),
        field("te", "trailers"), field("content-type", "application/grpc+proto"),
    ])
    nonisolated(unsafe) private static let requestFields = list(
        Array(localRequestFields) + [field("grpc-accept-encoding", "gzip"), field("user-agent", "petrel")]
    )
    nonisolated(unsafe) private static let secureScheme = field(":scheme", "https")
    nonisolated(unsafe) private static let responseFields = list([
        field(":status", "200"), field("content-type", "application/grpc+proto"),
    ])
    nonisolated(unsafe) private static let trailerFields = list([field("grpc-status", "0")])
    nonisolated(unsafe) private static let responseTrailerFields = list(Array(responseFields) + trailerFields)
    nonisolated(unsafe) private static let noFields = list([])

    /// Made once, for the life of the process.
    private static func list(_ fields: [nghttp2_nv]) -> UnsafeBufferPointer<nghttp2_nv> {
        let list = UnsafeMutableBufferPointer<nghttp2_nv>.allocate(capacity: fields.count)
        _ = list.initialize(from: fields)
        return UnsafeBufferPointer(list)
    }

    /// - Parameter value: nil: filled in later, and then copied.
    private static func field(_ name: StaticString, _ value: StaticString?) -> nghttp2_nv {
        let named = NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue
        return nghttp2_nv(
            name: UnsafeMutablePointer(mutating: name.utf8Start),
            value: value.map { UnsafeMutablePointer(mutating: $0.utf8Start) },
            namelen: name.utf8CodeUnitCount,
            valuelen: value?.utf8CodeUnitCount ?? 0,
            flags: UInt8(value == nil ? named : named | NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue)
        )
    }
}
