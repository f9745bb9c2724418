// SPDX-License-Identifier: Apache-2.0

/// A field that HTTP/2 or gRPC define, and whose values are few.
enum KnownField {
    /// Nothing follows from it.
    case ignored
    /// It must not stand in a list of HTTP/2.
    case malformed
    case method(isPost: Bool)
    case scheme
    case authority
    /// HTTP's.
    case status(Int)
    case content(ReceivedHeaders.Content)
    /// `grpc-encoding`.
    case encoding(Compression.Name)
    /// `grpc-accept-encoding` names gzip.
    case acceptsGzip(Bool)
    /// `grpc-status`.
    case statusCode(StatusCode)

    /// - Returns: nil for every other field, a path, and a length.
    init?(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) {
        switch name.first {
        case 0x3a: self.init(pseudo: name, value)
        case 0x67: self.init(protocol: name, value)
        default:
            if name.equals("content-type") {
                self = .content(Self.content(value))
            } else if name.equals("te") {
                self = Self.isTrailers(value) ? .ignored : .malformed
            } else if name.equals("user-agent") || name.equals("host") {
                self = .ignored
            } else if Self.isOfConnection(name) {
                self = .malformed
            } else {
                return nil
            }
        }
    }

    /// Names that begin with a colon.
    private init?(pseudo name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) {
        if name.equals(":path") { return nil }
        if name.equals(":method") {
            self = .method(isPost: value.equals("POST"))
        } else if name.equals(":status") {
            self = value.count == 3 ? value.number.map { .status($0) } ?? .malformed : .malformed
        } else if name.equals(":scheme") {
            self = .scheme
        } else if name.equals(":authority") {
            self = .authority
        } else {
            self = .malformed
        }
    }

    /// The only word that `te` may have; its letters' case does not matter (RFC 9110, 10.1.4).
    private static func isTrailers(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        value.lazy.map { $0 | 0x20 }.elementsEqual("trailers".utf8)
    }

    /// What HTTP/1.1 says of a connection (RFC 9113, 8.2.2).
    private static func isOfConnection(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        name.equals("connection") || name.equals("keep-alive") || name.equals("proxy-connection")
            || name.equals("transfer-encoding") || name.equals("upgrade")
    }

    private init?(protocol name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) {
        if name.equals("grpc-status") {
            self = .statusCode(value.number.flatMap { StatusCode(rawValue: $0) } ?? .unknown)
        } else if name.equals("grpc-encoding") {
            self = .encoding(Compression.Name(value))
        } else if name.equals("grpc-accept-encoding") {
            self = .acceptsGzip(Compression.isGzip(in: value))
        } else {
            return nil
        }
    }

    private static func content(_ value: UnsafeBufferPointer<UInt8>) -> ReceivedHeaders.Content {
        guard value.starts(with: "application/grpc") else { return .other }
        guard value.count > "application/grpc".utf8.count else { return .grpc }
        let next = value["application/grpc".utf8.count]
        return next == 0x2b || next == 0x3b ? .grpc : .other
    }
}

extension UnsafeBufferPointer<UInt8> {
    func equals(_ text: StaticString) -> Bool { text.withUTF8Buffer { $0.equals(self) } }

    func starts(with text: StaticString) -> Bool {
        count >= text.utf8CodeUnitCount
            && UnsafeBufferPointer(rebasing: self[..<text.utf8CodeUnitCount]).equals(text)
    }

    /// Eight bytes at a time.
    func equals(_ other: UnsafeBufferPointer<UInt8>) -> Bool {
        guard count == other.count else { return false }
        let (one, other) = (UnsafeRawBufferPointer(self), UnsafeRawBufferPointer(other))
        var offset = 0
        while offset + 8 <= count {
            let isEqual =
                one.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                == other.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            guard isEqual else { return false }
            offset += 8
        }
        while offset < count {
            guard one[offset] == other[offset] else { return false }
            offset += 1
        }
        return true
    }

    /// Of one to eighteen decimal digits; nil for anything else.
    var number: Int? {
        guard (1...18).contains(count) else { return nil }
        var result = 0
        for byte in self {
            guard (0x30...0x39).contains(byte) else { return nil }
            result = result * 10 + Int(byte - 0x30)
        }
        return result
    }
}
