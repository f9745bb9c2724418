// SPDX-License-Identifier: Apache-2.0

/// Header fields as they arrive: the ones that HTTP/2 and gRPC define, and the rest as metadata.
///
/// Names are compared as bytes: a call has about fifteen of them, and most are one of a dozen.
struct ReceivedHeaders {
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
    private(set) var message = ""
    private(set) var details: [UInt8]?
    private(set) var metadata: Metadata = [:]
    private(set) var isTooLarge = false
    /// What is kept, with 32 bytes for each field.
    private(set) var size = 0

    /// - Parameter isCrowded: Nothing more is kept.
    mutating func add(
        _ name: UnsafeBufferPointer<UInt8>,
        _ value: UnsafeBufferPointer<UInt8>,
        isCrowded: Bool = false
    ) {
        let added = name.count + value.count + 32
        guard !isTooLarge, !isCrowded, size + added <= Self.limit else {
            isTooLarge = true
            return
        }
        size += added
        switch name.first {
        case 0x3a: addPseudo(name, value)
        case 0x67 where name.starts(with: "grpc-"): addProtocol(name, value)
        default:
            if name.equals("content-type") {
                content = Self.content(value)
            } else if !name.equals("te"), !name.equals("user-agent"), !name.equals("host") {
                addMetadata(String(decoding: name, as: UTF8.self), value)
            }
        }
    }

    private mutating func addPseudo(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) {
        if name.equals(":path") {
            path = String(decoding: value, as: UTF8.self)
        } else if name.equals(":method") {
            isPost = value.equals("POST")
        } else if name.equals(":status") {
            httpStatus = value.number
        }
    }

    private mutating func addProtocol(
        _ name: UnsafeBufferPointer<UInt8>,
        _ value: UnsafeBufferPointer<UInt8>
    ) {
        if name.equals("grpc-status") {
            statusCode = value.number.flatMap { StatusCode(rawValue: $0) } ?? .unknown
        } else if name.equals("grpc-timeout") {
            timeout = String(decoding: value, as: UTF8.self)
        } else if name.equals("grpc-encoding") {
            encoding = Compression.Name(value)
        } else if name.equals("grpc-accept-encoding") {
            acceptsGzip = Compression.isGzip(in: value)
        } else if name.equals("grpc-message") {
            message = StatusEncoding.decode(message: Array(value))
        } else if name.equals("grpc-status-details-bin") {
            details = Base64.decode(value)
        } else {
            addMetadata(String(decoding: name, as: UTF8.self), value)
        }
    }

    private static func content(_ value: UnsafeBufferPointer<UInt8>) -> Content {
        guard value.starts(with: "application/grpc") else { return .other }
        guard value.count > "application/grpc".utf8.count else { return .grpc }
        let next = value["application/grpc".utf8.count]
        return next == 0x2b || next == 0x3b ? .grpc : .other
    }

    private mutating func addMetadata(_ name: String, _ value: UnsafeBufferPointer<UInt8>) {
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

extension UnsafeBufferPointer<UInt8> {
    func equals(_ text: StaticString) -> Bool {
        count == text.utf8CodeUnitCount && text.withUTF8Buffer { $0.elementsEqual(self) }
    }

    func starts(with text: StaticString) -> Bool {
        count >= text.utf8CodeUnitCount && text.withUTF8Buffer { self.prefix($0.count).elementsEqual($0) }
    }

    /// Of one to nine decimal digits; nil for anything else.
    fileprivate var number: Int? {
        guard (1...9).contains(count) else { return nil }
        var result = 0
        for byte in self {
            guard (0x30...0x39).contains(byte) else { return nil }
            result = result * 10 + Int(byte - 0x30)
        }
        return result
    }
}
