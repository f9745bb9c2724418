// SPDX-License-Identifier: Apache-2.0
internal import Logging

/// One line for each call: method, status, duration, who called, and the trace that it belongs to.
struct CallLog {
    private let logger: Logger
    /// The logger's, when the log was made: asking it each time would cost a call as much as its request's decoding.
    private let least: Logger.Level

    init(_ logger: Logger) {
        self.logger = logger
        least = logger.logLevel
    }

    /// Whether a call that ended so has a line.
    func notes(_ failure: RPCError?) -> Bool { Self.level(failure) >= least }

    private static func level(_ failure: RPCError?) -> Logger.Level {
        switch failure?.code {
        case nil: .debug
        case .internal, .unknown, .dataLoss: .error
        default: .info
        }
    }

    func ended(_ context: CallContext, _ outcome: CallOutcome) {
        let failure = outcome.failure
        let level = Self.level(failure)
        var metadata: Logger.Metadata = [
            "method": "\(context.method)", "status": "\(failure?.code ?? .ok)",
            "duration": "\(Duration.nanoseconds(outcome.durationNanos))",
        ]
        if let peer = context.peer { metadata["peer-pid"] = "\(peer.pid)" }
        if let trace = outcome.trace { metadata["trace"] = "\(trace.traceID)" }
        if let failure { metadata["error"] = "\(Self.line(failure.message))" }
        logger.log(level: level, "call", metadata: metadata)
    }

    /// A text as one line that can be read back: others may have chosen it, and the log's handler writes it
    /// as it is.
    private static func line(_ text: String) -> String {
        var line = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\", "\n", "\r", "\t": line += scalar.escaped(asASCII: false)
            case _ where breaksLines(scalar): line += "\\u{\(String(scalar.value, radix: 16))}"
            default: line.unicodeScalars.append(scalar)
            }
        }
        return line
    }

    /// Controls, and what turns the direction of writing.
    private static func breaksLines(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}
