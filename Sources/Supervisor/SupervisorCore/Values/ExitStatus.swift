// SPDX-License-Identifier: Apache-2.0
internal import System

/// How a process ended, or why it never began.
package struct ExitStatus: Hashable, Sendable {
    /// 0–255; 128 + n when signal n ended it; 255 when unknown; 126, 127 or 125 when it was never executed.
    package var code: UInt32
    /// The signal that ended it, or 0.
    package var signal: Int32
    /// False when neither keeper nor kernel could tell.
    package var isKnown: Bool
    package var isOutOfMemory: Bool
    /// Wall time.
    package var atUnixNanos: Int64
    /// Set when the program was never executed.
    package var failure: StartFailure?

    package init(
        code: UInt32,
        signal: Int32 = 0,
        isKnown: Bool = true,
        isOutOfMemory: Bool = false,
        atUnixNanos: Int64,
        failure: StartFailure? = nil
    ) {
        self.code = code
        self.signal = signal
        self.isKnown = isKnown
        self.isOutOfMemory = isOutOfMemory
        self.atUnixNanos = atUnixNanos
        self.failure = failure
    }

    /// From a status in the encoding of wait(2); nil: nobody knows.
    package init(waitStatus: Int32?, isOutOfMemory: Bool, atUnixNanos: Int64) {
        guard let waitStatus else {
            self.init(code: 255, isKnown: false, isOutOfMemory: isOutOfMemory, atUnixNanos: atUnixNanos)
            return
        }
        let signal = waitStatus & 0x7f
        let code = signal == 0 ? UInt32((waitStatus >> 8) & 0xff) : UInt32(128 + signal)
        self.init(code: code, signal: signal, isOutOfMemory: isOutOfMemory, atUnixNanos: atUnixNanos)
    }

    package init(failure: StartFailure, isOfExec: Bool = false, atUnixNanos: Int64) {
        let code = isOfExec ? failure.execCode : failure.code
        self.init(code: code, atUnixNanos: atUnixNanos, failure: failure)
    }
}

/// The step before a program's execution that did not succeed.
package struct StartFailure: Hashable, Sendable, CustomStringConvertible {
    /// "mount", "execve", "gate", ….
    package let step: String
    package let path: String
    /// The kernel's error number, or 0.
    package let errno: Int32

    package init(step: String, path: String, errno: Int32) {
        self.step = step
        self.path = path
        self.errno = errno
    }

    /// What the shell says: 127 for a program that is not there, 126 for one that cannot be executed, 125
    /// otherwise.
    package var code: UInt32 {
        switch reason {
        case .programNotFound: 127
        case .programNotExecutable: 126
        case .other: 125
        }
    }

    /// The same of an exec: its container is there, so whatever else is in its program's way means 126, as with Docker.
    package var execCode: UInt32 { max(code, 126) }

    package enum Reason: Hashable, Sendable { case programNotFound, programNotExecutable, other }

    package var reason: Reason {
        guard step == "execve" || step == "exec" else { return .other }
        switch errno {
        case 2, 20: return .programNotFound
        case 8, 13, 21, 26: return .programNotExecutable
        default: return .other
        }
    }

    static let joinStep = "join"

    /// Another container, whose namespaces it was to join, did not run (any more).
    package var isJoin: Bool {
        (step == Self.joinStep || step == "namespace") && errno == ErrorNumber.noSuchProcess
    }

    /// The process ended at its gate because its keeper did: nothing is wrong with the container.
    package var isGate: Bool { step == "gate" }

    /// The keeper does not begin a run while a full disk holds back the output of the one before.
    package var isFullDisk: Bool { step == "output" && errno == ErrorNumber.noSpace }

    package var description: String {
        if isGate { return "its keepers ended, one after another, before the program was executed" }
        return
            "\(step)\(path.isEmpty ? "" : " " + path): \(errno == 0 ? "failed" : ErrorNumber.name(of: errno))"
    }
}
