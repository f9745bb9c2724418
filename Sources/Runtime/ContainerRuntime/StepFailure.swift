// SPDX-License-Identifier: Apache-2.0
package import System

/// A step of a container's start that failed: which one, on what, and the kernel's error number.
///
/// In a `StartReport`: code i32, length of step u16, length of path u16 (little-endian), step, path.
package struct StepFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// See the module's overview for all of them.
    package let step: String
    /// In the container, unless the step is about something of the host; may be empty.
    package let path: String
    package let code: Int32

    package init(step: String, path: String = "", code: Int32) {
        self.step = step
        self.path = path
        self.code = code
    }

    package init(_ step: String, _ error: SystemError) {
        self.init(step: step, path: error.path, code: error.code)
    }

    package var description: String {
        (path.isEmpty ? step : "\(step) \(path)") + ": " + ErrorNumber.name(of: code)
    }

    /// At most 4096 bytes, so that one write to a pipe is whole; a longer path is cut.
    package func encoded() -> [UInt8] {
        let stepBytes = Array(step.utf8.prefix(64))
        let pathBytes = Array(path.utf8.prefix(4000))
        let number = UInt32(bitPattern: code)
        return (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * UInt32($0))) }
            + [UInt8(stepBytes.count), 0, UInt8(pathBytes.count & 0xff), UInt8(pathBytes.count >> 8)]
            + stepBytes + pathBytes
    }

    /// nil for bytes that are no whole failure.
    package init?(decoding bytes: [UInt8]) {
        guard bytes.count >= 8 else { return nil }
        let number = bytes[..<4].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let stepCount = Int(bytes[4]) | Int(bytes[5]) << 8
        let pathCount = Int(bytes[6]) | Int(bytes[7]) << 8
        guard bytes.count == 8 + stepCount + pathCount else { return nil }
        self.init(
            step: String(decoding: bytes[8..<(8 + stepCount)], as: UTF8.self),
            path: String(decoding: bytes[(8 + stepCount)...], as: UTF8.self),
            code: Int32(bitPattern: number)
        )
    }
}

/// What a process tells on its status pipe up to the moment when its program is executed, which closes the pipe.
///
/// A byte 1 just before execve; a byte 2 and a failure when a step, execve included, failed.
package enum StartReport: Hashable, Sendable {
    case executed
    case failed(StepFailure)
    /// It ended without a word: it was killed.
    case ended
    case undecodable

    /// More than this is not sent.
    package static let limit = 4096

    /// - Parameter bytes: All of them, up to the end of the pipe.
    package init(decoding bytes: [UInt8]) {
        if bytes.isEmpty {
            self = .ended
        } else if bytes == [1] {
            self = .executed
        } else if let start = bytes.firstIndex(of: 2), start <= 1, bytes[..<start].allSatisfy({ $0 == 1 }),
            let failure = StepFailure(decoding: Array(bytes[(start + 1)...]))
        {
            self = .failed(failure)
        } else {
            self = .undecodable
        }
    }

    func encoded() -> [UInt8] {
        switch self {
        case .executed: [1]
        case .failed(let failure): [2] + failure.encoded()
        case .ended, .undecodable: []
        }
    }

    /// Reads what a pipe that has come to its end holds. A program's execution stays in it, so that whoever holds the
    /// pipe later still finds it.
    /// - Parameter status: Has hung up.
    package init(waitingIn status: Int32) throws(SystemError) {
        self = .executed
        guard try Splice.available(in: status) != 1 else { return }
        self.init(decoding: try Files.readSome(status, limit: Self.limit))
    }
}

/// A valid specification that asks for what this runtime does not do, or that contradicts itself.
package enum PlanError: Error, Hashable, Sendable, CustomStringConvertible {
    case missing(field: String)
    case unsupported(field: String)
    /// A sysctl that would change the host.
    case notNamespaced(sysctl: String)
    case seccompProgram

    package var description: String {
        switch self {
        case .missing(let field): "\(field): must be given"
        case .unsupported(let field): "\(field): is not supported"
        case .notNamespaced(let sysctl):
            "linux.sysctl.\(sysctl): would change the host, not the container alone"
        case .seccompProgram: "the system-call filter's program has no whole number of instructions"
        }
    }
}
