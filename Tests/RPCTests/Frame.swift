// SPDX-License-Identifier: Apache-2.0

/// An HTTP/2 frame as bytes, which may break every rule.
struct Frame: Hashable {
    /// RFC 9113, section 6.
    enum Kind {
        static let data: UInt8 = 0
        static let headers: UInt8 = 1
        static let priority: UInt8 = 2
        static let reset: UInt8 = 3
        static let settings: UInt8 = 4
        static let push: UInt8 = 5
        static let ping: UInt8 = 6
        static let goAway: UInt8 = 7
        static let windowUpdate: UInt8 = 8
        static let continuation: UInt8 = 9
    }

    enum Flags {
        static let endStream: UInt8 = 1
        static let ack: UInt8 = 1
        static let endHeaders: UInt8 = 4
        static let padded: UInt8 = 8
        static let priority: UInt8 = 32
    }

    var kind: UInt8
    var flags: UInt8 = 0
    var stream: UInt32 = 0
    var payload: [UInt8] = []

    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    /// Length (3), type (1), flags (1), stream (4), payload.
    var bytes: [UInt8] {
        let count = payload.count
        return [UInt8(count >> 16 & 0xff), UInt8(count >> 8 & 0xff), UInt8(count & 0xff), kind, flags]
            + Self.number(stream) + payload
    }

    static func number(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
    }

    // MARK: - Kinds

    static func settings(_ entries: [(id: UInt16, value: UInt32)] = []) -> Frame {
        let payload = entries.flatMap { [UInt8($0.id >> 8), UInt8($0.id & 0xff)] + number($0.value) }
        return Frame(kind: Kind.settings, payload: payload)
    }

    static let settingsAck = Frame(kind: Kind.settings, flags: Flags.ack)

    static func ping(_ byte: UInt8 = 7) -> Frame {
        Frame(kind: Kind.ping, payload: [UInt8](repeating: byte, count: 8))
    }

    static func headers(
        _ fields: [Field],
        stream: UInt32 = 1,
        flags: UInt8 = Flags.endHeaders
    ) -> Frame {
        Frame(kind: Kind.headers, flags: flags, stream: stream, payload: Field.block(fields))
    }

    static func data(_ payload: [UInt8], stream: UInt32 = 1, flags: UInt8 = 0) -> Frame {
        Frame(kind: Kind.data, flags: flags, stream: stream, payload: payload)
    }

    static func reset(_ code: UInt32, stream: UInt32 = 1) -> Frame {
        Frame(kind: Kind.reset, stream: stream, payload: number(code))
    }

    static func windowUpdate(_ count: UInt32, stream: UInt32 = 0) -> Frame {
        Frame(kind: Kind.windowUpdate, stream: stream, payload: number(count))
    }

    static func goAway(last: UInt32, _ code: UInt32 = 0) -> Frame {
        Frame(kind: Kind.goAway, payload: number(last) + number(code))
    }

    static func continuation(_ payload: [UInt8], stream: UInt32 = 1, flags: UInt8 = 0) -> Frame {
        Frame(kind: Kind.continuation, flags: flags, stream: stream, payload: payload)
    }

    /// A message as gRPC frames it.
    static func message(_ bytes: [UInt8], flags: UInt8 = 0, claiming length: UInt32? = nil) -> [UInt8] {
        [flags] + number(length ?? UInt32(bytes.count)) + bytes
    }
}

/// A header field. Written as a literal without an index (RFC 7541, 6.2.2), which needs no table.
struct Field: Hashable {
    var name: String
    var value: String

    init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    var bytes: [UInt8] { [0] + Self.text(name) + Self.text(value) }

    static func block(_ fields: [Field]) -> [UInt8] { fields.flatMap(\.bytes) }

    /// A string as it is: its length, with a prefix of seven bits, and its bytes.
    static func text(_ string: String) -> [UInt8] { integer(string.utf8.count, prefix: 7) + string.utf8 }

    /// RFC 7541, 5.1.
    static func integer(_ value: Int, prefix: Int, pattern: UInt8 = 0) -> [UInt8] {
        let limit = 1 << prefix - 1
        guard value >= limit else { return [pattern | UInt8(value)] }
        var result = [pattern | UInt8(limit)]
        var rest = value - limit
        while rest >= 0x80 {
            result.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        return result + [UInt8(rest)]
    }

    /// What opens a call of the echo service.
    static func request(_ method: String = "Say") -> [Field] {
        [
            Field(":method", "POST"), Field(":scheme", "http"), Field(":authority", "localhost"),
            Field(":path", "/petrel.test.v1.Echo/\(method)"), Field("te", "trailers"),
            Field("content-type", "application/grpc+proto"),
        ]
    }

    static let answer = [Field(":status", "200"), Field("content-type", "application/grpc")]
}

/// An encoder's dynamic table (RFC 7541, 2.3.2), of the usual size.
struct FieldTable {
    /// The newest first.
    private var fields: [Field] = []

    private static let first = 62
    private static let size = 4096

    /// A field by its number in the table, where it goes if it is not there.
    mutating func encode(_ field: Field) -> [UInt8] {
        if let index = fields.firstIndex(of: field) {
            return Field.integer(Self.first + index, prefix: 7, pattern: 0x80)
        }
        fields.insert(field, at: 0)
        while fields.reduce(0, { $0 + $1.name.utf8.count + $1.value.utf8.count + 32 }) > Self.size {
            fields.removeLast()
        }
        return [0x40] + Field.text(field.name) + Field.text(field.value)
    }
}

extension [Field] {
    /// The list with another value for a name, or without it.
    func setting(_ name: String, _ value: String?) -> [Field] {
        compactMap { $0.name == name ? value.map { Field(name, $0) } : $0 }
    }
}

/// What a header list says of how a call ended; the rest of it is skipped.
struct ReceivedStatus: Hashable {
    var grpc: Int?
    var http: Int?

    /// Both ends of ours write texts as they are. Of names it must know two: this one, and that of the HTTP status in the static
    /// table.
    private static let grpcStatus = Array("grpc-status".utf8)
    private static let httpStatuses = [200, 204, 206, 304, 400, 404, 500]

    /// - Parameter block: From a peer that was told to use no dynamic table.
    init(block: [UInt8]) {
        var reader = Reader(bytes: block[...])
        while let first = reader.bytes.first {
            if first & 0x80 != 0 {
                let index = reader.integer(prefix: 7)
                if (8...14).contains(index) { http = Self.httpStatuses[index - 8] }
            } else if first & 0xe0 == 0x20 {
                _ = reader.integer(prefix: 5)
            } else {
                let index = reader.integer(prefix: first & 0x40 != 0 ? 6 : 4)
                let name = index == 0 ? reader.text() : []
                let value = Int(String(decoding: reader.text(), as: UTF8.self))
                if (8...14).contains(index) { http = value }
                if name == Self.grpcStatus { grpc = value }
            }
        }
    }

    private struct Reader {
        var bytes: ArraySlice<UInt8>

        mutating func integer(prefix: Int) -> Int {
            let limit = 1 << prefix - 1
            guard let first = bytes.popFirst() else { return 0 }
            var result = Int(first) & limit
            guard result == limit else { return result }
            var shift = 0
            while let next = bytes.popFirst() {
                result += Int(next & 0x7f) << shift
                shift += 7
                if next < 0x80 || shift > 28 { break }
            }
            return result
        }

        mutating func text() -> [UInt8] {
            let count = min(integer(prefix: 7), bytes.count)
            defer { bytes = bytes.dropFirst(count) }
            return Array(bytes.prefix(count))
        }
    }
}
