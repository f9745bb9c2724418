// SPDX-License-Identifier: Apache-2.0
import RPC
import TestMessages

/// What the server did wrong.
struct CaseFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

func expect(_ condition: Bool, _ text: @autoclosure () -> String) throws(CaseFailure) {
    guard condition else { throw CaseFailure(text()) }
}

func expectEqual<Value: Equatable>(_ what: String, _ actual: Value, _ expected: Value) throws(CaseFailure) {
    try expect(
        actual == expected,
        "\(what): expected \(String(reflecting: expected)), got \(String(reflecting: actual))"
    )
}

func expectPayload(_ payload: GrpcTesting.Payload?, size: Int) throws(CaseFailure) {
    let body = payload?.body ?? []
    try expectEqual("payload size", body.count, size)
    try expect(body.allSatisfy { $0 == 0 }, "the payload is not all zeros")
}

/// The call must fail like that.
func expectStatus<Result>(
    _ code: StatusCode,
    _ message: String? = nil,
    _ call: () async throws -> Result
) async throws {
    do { _ = try await call() } catch let error as RPCError {
        try expect(error.code == code, "expected \(code), got \(error)")
        if let message { try expectEqual("status message", error.message, message) }
        return
    }
    throw CaseFailure("expected \(code), got success")
}
