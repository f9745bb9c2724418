// SPDX-License-Identifier: Apache-2.0
internal import CNGHTTP2

/// Header fields to send, in one piece of memory.
struct HeaderBlock: Sendable {
    private var bytes: [UInt8] = []
    private var lengths: [(name: Int, value: Int)] = []

    init() { lengths.reserveCapacity(12) }

    mutating func add(_ name: String, _ value: String) {
        bytes += name.utf8
        bytes += value.utf8
        lengths.append((name.utf8.count, value.utf8.count))
    }

    mutating func add(_ name: String, _ value: [UInt8]) {
        bytes += name.utf8
        bytes += value
        lengths.append((name.utf8.count, value.count))
    }

    mutating func append(_ other: HeaderBlock) {
        bytes += other.bytes
        lengths += other.lengths
    }

    /// Entries that cannot stand in a header (reserved names, control characters) are left out.
    mutating func add(_ metadata: Metadata) {
        for entry in metadata.entries where Self.isAllowed(entry.name) {
            switch entry.value {
            case .text(let text):
                guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 <= 0x7e }) else { continue }
                add(entry.name, text)
            case .bytes(let bytes):
                add(entry.name, Base64.encode(bytes))
            }
        }
    }

    /// Calls `body` with the fields as nghttp2 wants them; it copies them.
    func withFields<Result>(_ body: (UnsafePointer<nghttp2_nv>?, Int) -> Result) -> Result {
        bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return body(nil, 0) }
            let start = UnsafeMutablePointer(mutating: base)
            var offset = 0
            var fields: [nghttp2_nv] = []
            fields.reserveCapacity(lengths.count)
            for length in lengths {
                fields.append(
                    nghttp2_nv(
                        name: start + offset,
                        value: start + offset + length.name,
                        namelen: length.name,
                        valuelen: length.value,
                        flags: 0
                    )
                )
                offset += length.name + length.value
            }
            return body(fields, fields.count)
        }
    }

    private static func isAllowed(_ name: String) -> Bool {
        let isText = name.utf8.allSatisfy { byte in
            (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2d || byte == 0x5f
                || byte == 0x2e
        }
        return isText && !name.isEmpty && !name.hasPrefix("grpc-") && !reserved.contains(name)
    }

    private static let reserved: Set<String> = [
        "te", "content-type", "user-agent", "connection", "transfer-encoding", "host", "upgrade",
        "keep-alive",
        "proxy-connection", "content-length",
    ]
}

extension HeaderBlock {
    /// What opens a call.
    static func request(method: String, options: CallOptions, remaining: Duration?) -> HeaderBlock {
        var block = HeaderBlock()
        block.add(":method", "POST")
        block.add(":scheme", "http")
        block.add(":path", method)
        block.add(":authority", "localhost")
        block.add("te", "trailers")
        block.add("content-type", "application/grpc+proto")
        block.add("user-agent", "petrel")
        if let remaining { block.add("grpc-timeout", StatusEncoding.encode(timeout: remaining)) }
        block.add(options.metadata)
        return block
    }

    /// What opens an answer.
    static func response(_ metadata: Metadata) -> HeaderBlock {
        var block = HeaderBlock()
        block.add(":status", "200")
        block.add("content-type", "application/grpc+proto")
        block.add(metadata)
        return block
    }

    /// How a call ended; `opening` when no answer was opened before.
    static func trailers(_ error: RPCError?, _ metadata: Metadata, opening: Bool) -> HeaderBlock {
        var block = opening ? response([:]) : HeaderBlock()
        block.add("grpc-status", String((error?.code ?? .ok).rawValue))
        if let error {
            if !error.message.isEmpty {
                block.add("grpc-message", StatusEncoding.encode(message: error.message))
            }
            if let details = StatusEncoding.details(of: error) {
                block.add("grpc-status-details-bin", Base64.encode(details))
            }
        }
        block.add(metadata)
        return block
    }
}
