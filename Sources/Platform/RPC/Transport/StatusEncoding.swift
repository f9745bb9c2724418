// SPDX-License-Identifier: Apache-2.0
internal import Messages

/// How a status, a deadline and HTTP/2's own endings are written and read (gRPC over HTTP/2).
package enum StatusEncoding {
    /// Percent-encodes what is not printable ASCII, and a space at either end, where no field of HTTP/2 has one; at most 4 KiB of text, so that the peer's header limit holds.
    package static func encode(message: String) -> [UInt8] {
        var result: [UInt8] = []
        for byte in message.utf8.prefix(4096) {
            if byte >= 0x20, byte <= 0x7e, byte != 0x25 {
                result.append(byte)
            } else {
                result += escaped(byte)
            }
        }
        if result.last == 0x20 { result.replaceSubrange((result.count - 1)..., with: escaped(0x20)) }
        if result.first == 0x20 { result.replaceSubrange(...0, with: escaped(0x20)) }
        return result
    }

    private static func escaped(_ byte: UInt8) -> [UInt8] {
        [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }

    /// Takes what is not a valid escape as it is, as the specification wants it.
    package static func decode(message: [UInt8]) -> String {
        var result: [UInt8] = []
        var index = 0
        while index < message.count {
            if message[index] == 0x25, index + 2 < message.count,
                let high = nibble(message[index + 1]), let low = nibble(message[index + 2])
            {
                result.append(high << 4 | low)
                index += 3
            } else {
                result.append(message[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The value of `grpc-status-details-bin`; nil where there is nothing to say, or too much for a header.
    package static func details(of error: RPCError) -> [UInt8]? {
        guard !error.details.isEmpty else { return nil }
        let status = GoogleRpc.Status(
            code: Int32(error.code.rawValue),
            message: String(error.message.prefix(1024)),
            details: error.details
        )
        let bytes = status.serialized()
        return bytes.count <= 12 << 10 ? bytes : nil
    }

    /// The error that trailers describe; nil when they say OK.
    package static func error(status: StatusCode, message: String, details: [UInt8]?) -> RPCError? {
        guard status != .ok else { return nil }
        let packed = details.flatMap { try? GoogleRpc.Status(serialized: $0) }
        return RPCError(status, message, details: packed?.details ?? [])
    }

    /// A response without `grpc-status`: what its HTTP status means.
    package static func code(forHTTP status: Int) -> StatusCode {
        switch status {
        case 400: .internal
        case 401: .unauthenticated
        case 403: .permissionDenied
        case 404: .unimplemented
        case 429, 502, 503, 504: .unavailable
        default: .unknown
        }
    }

    /// A stream that was reset: what HTTP/2's code means.
    package static func code(forReset code: UInt32) -> StatusCode {
        switch code {
        case 7: .unavailable
        case 8: .cancelled
        case 11: .resourceExhausted
        case 12: .permissionDenied
        default: .internal
        }
    }

    // MARK: - Deadlines

    /// At most eight digits and a unit, rounded up.
    package static func encode(timeout: Duration) -> String {
        let (seconds, attoseconds) = timeout.components
        guard seconds > 0 || attoseconds > 0 else { return "1n" }
        let limit: Int64 = 99_999_999
        if seconds < 1 << 32 {
            let nanos = seconds * 1_000_000_000 + (attoseconds + 999_999_999) / 1_000_000_000
            for (unit, size) in [("n", 1), ("u", 1000), ("m", 1_000_000), ("S", 1_000_000_000)]
                as [(String, Int64)]
            {
                let count = (nanos + size - 1) / size
                if count <= limit { return "\(count)\(unit)" }
            }
        }
        return seconds / 3600 < limit ? "\(seconds / 3600 + 1)H" : "\(limit)H"
    }

    /// nil when it is not a time-out.
    package static func decode(timeout: String) -> Duration? {
        guard let unit = timeout.last, timeout.utf8.count <= 9, let count = Int64(timeout.dropLast()),
            // A number may have a sign, a time-out may not.
            timeout.utf8.first.map({ (0x30...0x39).contains($0) }) == true
        else { return nil }
        return switch unit {
        case "H": .seconds(count * 3600)
        case "M": .seconds(count * 60)
        case "S": .seconds(count)
        case "m": .milliseconds(count)
        case "u": .microseconds(count)
        case "n": .nanoseconds(count)
        default: nil
        }
    }

    private static let digits = Array("0123456789ABCDEF".utf8)

    private static func nibble(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}
