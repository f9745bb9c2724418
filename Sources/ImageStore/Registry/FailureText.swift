// SPDX-License-Identifier: Apache-2.0
internal import AsyncHTTPClient
internal import NIOCore
internal import NIOPosix

/// Why a connection failed, for people: the libraries' errors name their own types.
enum FailureText {
    private static let limit = 300

    /// One line.
    static func of(_ error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError: connection(error)
        case let error as IOError: system(error)
        case let error as HTTPClientError: client(error)
        default: other(error)
        }
    }

    private static func connection(_ error: NIOConnectionError) -> String {
        guard let attempt = error.connectionErrors.last else { return "no such host" }
        return of(attempt.error)
    }

    private static func system(_ error: IOError) -> String {
        // ENETUNREACH, ECONNRESET, ETIMEDOUT, ECONNREFUSED, EHOSTUNREACH.
        switch error.errnoCode {
        case 101: "the network is unreachable"
        case 104: "the connection was reset"
        case 110: "the connection timed out"
        case 111: "the connection was refused"
        case 113: "no route to the host"
        default: other(error)
        }
    }

    private static func client(_ error: HTTPClientError) -> String {
        switch error {
        case .connectTimeout: "no connection in time"
        case .deadlineExceeded, .readTimeout: "no answer in time"
        case .remoteConnectionClosed: "the connection was closed"
        default: error.shortDescription.prefix(1).lowercased() + error.shortDescription.dropFirst()
        }
    }

    /// Of TLS the library gives the words of the one beneath it alone.
    private static func other(_ error: any Error) -> String {
        let text = String(describing: error)
        if text.contains("CERTIFICATE_VERIFY_FAILED") {
            return "its certificate is not trusted by this machine"
        }
        if text.contains("WRONG_VERSION_NUMBER") { return "it does not speak TLS" }
        return String(text.prefix(limit).map { $0.isNewline ? " " : $0 })
    }
}
