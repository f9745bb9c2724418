// SPDX-License-Identifier: Apache-2.0
internal import ContainerRuntime
internal import Messages
internal import System
internal import Tar

/// Why a copy came to nothing, as the supervisor is told.
struct CopyProblem: Error {
    let failure: KeeperV1.CopyFailure

    init(_ kind: KeeperV1.CopyFailure.Kind, _ path: String, _ message: String, errno: Int32 = 0) {
        failure = KeeperV1.CopyFailure(kind: kind, path: path, message: message, errno: errno)
    }

    /// - Parameter path: As it was asked for.
    init(_ error: SystemError, at path: String) {
        switch error.code {
        case ErrorNumber.notFound: self.init(.pathNotFound, path, "\(error)", errno: error.code)
        case 20: self.init(.notADirectory, path, "\(error)", errno: error.code)
        case 30: self.init(.readOnly, path, "\(error)", errno: error.code)
        default: self.init(.system, path, "\(error)", errno: error.code)
        }
    }

    init(_ error: StepFailure) { self.init(.noRoot, error.path, "\(error)", errno: error.code) }

    init(_ error: ArchiveError, at path: String) {
        switch error {
        case .tar, .compression, .truncated, .limit: self.init(.badArchive, path, "\(error)")
        case .refused(_, .replacesDirectory), .refused(_, .replacedByDirectory):
            self.init(.conflict, path, "\(error)")
        case .refused: self.init(.badArchive, path, "\(error)")
        // It was there a moment ago.
        case .system(_, let inner) where inner.code == ErrorNumber.notFound:
            self.init(.changed, path, "\(error)", errno: inner.code)
        case .system(_, let inner) where inner.code == 30: self.init(.readOnly, path, "\(error)", errno: 30)
        case .system(_, let inner), .sink(let inner): self.init(.system, path, "\(error)", errno: inner.code)
        case .changed: self.init(.changed, path, "\(error)")
        case .source, .cancelled: self.init(.system, path, "\(error)")
        }
    }
}
