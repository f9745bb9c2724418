// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// The numbers that decisions are made on.
extension ErrorNumber {
    package static let notFound: Int32 = ENOENT
    package static let noSuchProcess: Int32 = ESRCH
    package static let tryAgain: Int32 = EAGAIN
    package static let exists: Int32 = EEXIST
    package static let messageTooLong: Int32 = EMSGSIZE
    package static let noSpace: Int32 = ENOSPC
    package static let quotaExceeded: Int32 = EDQUOT
    package static let brokenPipe: Int32 = EPIPE
    package static let connectionRefused: Int32 = ECONNREFUSED
    package static let timedOut: Int32 = ETIMEDOUT
    package static let connectionReset: Int32 = ECONNRESET
    package static let badDescriptor: Int32 = EBADF
    package static let invalid: Int32 = EINVAL
    package static let notSocket: Int32 = ENOTSOCK
    package static let notSupported: Int32 = EOPNOTSUPP
    package static let connectionAborted: Int32 = ECONNABORTED
}
