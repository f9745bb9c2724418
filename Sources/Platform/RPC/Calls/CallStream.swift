// SPDX-License-Identifier: Apache-2.0
internal import Messages

package final class CallStream: Sendable {
    func nextMessage<M: Message>(_ type: M.Type, cancels: Bool = false) async throws(RPCError) -> M? { nil }
    func onlyMessage<M: Message>(_ type: M.Type) async throws(RPCError) -> M { throw RPCError(.unimplemented, "") }
    func write(_ message: [UInt8]) async throws(RPCError) {}
    func finish() {}
    func cancel() {}
    func peerMetadata() async -> Metadata { [:] }
    var trailingMetadata: Metadata { [:] }
}
