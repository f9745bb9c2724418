// SPDX-License-Identifier: Apache-2.0

/// Header fields as they arrive: the ones that HTTP/2 and gRPC define, and the rest as metadata.
struct ReceivedHeaders {
    /// Most bytes of a header list, names and values; more is refused.
    static let limit = 32 << 10

    private(set) var pseudo: [String: String] = [:]
    private(set) var contentType: String?
    private(set) var timeout: String?
    private(set) var encoding: String?
    private(set) var status: String?
    private(set) var message = ""
    private(set) var details: [UInt8]?
    private(set) var metadata: Metadata = [:]
    private(set) var isTooLarge = false
    private var size = 0

    mutating func add(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) {
        size += name.count + value.count + 32
        guard size <= Self.limit else {
            isTooLarge = true
            return
        }
        let name = String(decoding: name, as: UTF8.self)
        if name.hasPrefix(":") {
            pseudo[name] = String(decoding: value, as: UTF8.self)
            return
        }
        switch name {
        case "content-type": contentType = String(decoding: value, as: UTF8.self)
        case "grpc-timeout": timeout = String(decoding: value, as: UTF8.self)
        case "grpc-encoding": encoding = String(decoding: value, as: UTF8.self)
        case "grpc-status": status = String(decoding: value, as: UTF8.self)
        case "grpc-message": message = StatusEncoding.decode(message: Array(value))
        case "grpc-status-details-bin": details = Base64.decode(value)
        case "te", "grpc-accept-encoding", "user-agent", "host": break
        default: addMetadata(name, value)
        }
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

    /// The status in trailers; nil when there is none.
    var statusCode: StatusCode? {
        guard let status else { return nil }
        return Int(status).flatMap { StatusCode(rawValue: $0) } ?? .unknown
    }
}
