// SPDX-License-Identifier: Apache-2.0
internal import Logging
internal import System

/// One line for each call: method, status, duration, who called, and the trace that it belongs to.
struct CallLog: ServerInterceptor {
    let logger: Logger

    func intercept(_ context: CallContext, _ proceed: @Sendable () async throws -> Void) async throws {
        let start = Clock.bootNanos
        do {
            try await proceed()
            log(context, nil, since: start)
        } catch {
            log(context, RPCError(endOf: error), since: start)
            throw error
        }
    }

    private func log(_ context: CallContext, _ failure: RPCError?, since start: Int64) {
        let level: Logger.Level =
            switch failure?.code {
            case nil: .debug
            case .internal, .unknown, .dataLoss: .error
            default: .info
            }
        guard level >= logger.logLevel else { return }
        let duration = Duration.nanoseconds(Clock.bootNanos - start)
        var metadata: Logger.Metadata = [
            "method": "\(context.method)", "status": "\(failure?.code ?? .ok)", "duration": "\(duration)",
        ]
        if let peer = context.peer { metadata["peer-pid"] = "\(peer.pid)" }
        if let trace = TraceContext.current { metadata["trace"] = "\(trace.traceID)" }
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
