// SPDX-License-Identifier: Apache-2.0
internal import ContainerRuntime
internal import Messages
internal import System

/// Error numbers that the keeper itself puts into a `StepFailure`, where no system call said one.
enum KeeperError {
    static let notThere: Int32 = 2
    static let noSuchProcess: Int32 = 3
    static let tryAgain: Int32 = 11
    static let busy: Int32 = 16
    static let exists: Int32 = 17
    static let invalid: Int32 = 22
    static let noSpace: Int32 = 28
    static let noTerminal: Int32 = 25
}

extension StepFailure {
    init(_ error: SystemError, step: String) {
        self.init(step: step, path: error.path.isEmpty ? error.operation : error.path, code: error.code)
    }

    var message: KeeperV1.StepFailure { KeeperV1.StepFailure(step: step, path: path, errno: code) }
}

extension System.ProcessIdentity {
    init(_ message: KeeperV1.ProcessIdentity) {
        self.init(bootID: message.bootId, pid: message.pid, startTimeTicks: message.startTimeTicks)
    }

    var message: KeeperV1.ProcessIdentity {
        KeeperV1.ProcessIdentity(bootId: bootID, pid: pid, startTimeTicks: startTimeTicks)
    }
}

/// One line to standard error, which the supervisor leads to the suite's log.
enum KeeperLog {
    static func line(_ text: String) {
        // A keeper without a log goes on.
        try? Files.writeAll(
            2,
            Array("\(Timestamp(unixNanos: Clock.wallNanos).rfc3339()) keeper: \(text)\n".utf8)
        )
    }
}
