// SPDX-License-Identifier: Apache-2.0

/// The trace that a piece of work belongs to, as it travels beside calls: `traceparent` and `tracestate`.
///
/// A server sets it for the handler of a call that brings one; calls made in that task carry it on, each as a span of its own.
/// - Source: W3C Trace Context, level 1.
package struct TraceContext: Hashable, Sendable {
    /// 32 hexadecimal digits, not all zero.
    package let traceID: String
    /// 16 hexadecimal digits, not all zero.
    package let spanID: String
    /// Bit 0: the trace is recorded.
    package let flags: UInt8
    /// What vendors add; handed on as it is, at most 512 bytes.
    package let state: String?

    /// Of the task.
    @TaskLocal package static var current: TraceContext?

    private static let stateLimit = 512

    /// - Returns: nil for what is no `traceparent`: then a trace begins anew, as the specification wants it.
    package init?(traceparent: String, state: String? = nil) {
        let parts = traceparent.utf8.split(separator: 0x2d, omittingEmptySubsequences: false)
        guard parts.count >= 4, let version = Self.byte(parts[0]), version != 0xff,
            version != 0 || parts.count == 4,
            let trace = Self.identifier(parts[1], digits: 32),
            let span = Self.identifier(parts[2], digits: 16),
            let flags = Self.byte(parts[3])
        else { return nil }
        self.init(traceID: trace, spanID: span, flags: flags, state: state)
    }

    private init(traceID: String, spanID: String, flags: UInt8, state: String?) {
        self.traceID = traceID
        self.spanID = spanID
        self.flags = flags
        self.state = state.flatMap { $0.utf8.count <= Self.stateLimit ? $0 : nil }
    }

    /// What a call brings.
    init?(_ metadata: Metadata) {
        guard let parent = metadata["traceparent"] else { return nil }
        self.init(traceparent: parent, state: metadata["tracestate"])
    }

    /// Begins a trace.
    package static func root(isRecorded: Bool) -> TraceContext {
        TraceContext(
            traceID: hex(.random(in: 1...UInt64.max)) + hex(.random(in: 0...UInt64.max)),
            spanID: hex(.random(in: 1...UInt64.max)),
            flags: isRecorded ? 1 : 0,
            state: nil
        )
    }

    /// The same trace, one step further.
    package func child() -> TraceContext {
        TraceContext(
            traceID: traceID,
            spanID: Self.hex(.random(in: 1...UInt64.max)),
            flags: flags,
            state: state
        )
    }

    /// `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`.
    package var traceparent: String { "00-\(traceID)-\(spanID)-\(Self.hex(UInt64(flags), digits: 2))" }

    /// Beside an outgoing call; what the caller has set itself stays.
    func add(to metadata: inout Metadata) {
        guard metadata["traceparent"] == nil else { return }
        metadata["traceparent"] = child().traceparent
        if let state { metadata["tracestate"] = state }
    }

    private static func byte(_ text: Substring.UTF8View.SubSequence) -> UInt8? {
        guard text.count == 2, text.allSatisfy(isDigit) else { return nil }
        return UInt8(String(decoding: text, as: UTF8.self), radix: 16)
    }

    private static func identifier(_ text: Substring.UTF8View.SubSequence, digits: Int) -> String? {
        guard text.count == digits, text.allSatisfy(isDigit), text.contains(where: { $0 != 0x30 }) else {
            return nil
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Upper-case digits are not allowed.
    private static func isDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
    }

    private static func hex(_ number: UInt64, digits: Int = 16) -> String {
        let text = String(number, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
