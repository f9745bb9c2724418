// SPDX-License-Identifier: Apache-2.0
import Messages
import RPC
import TestMessages

/// What can be given hostile bytes.
enum FuzzTarget: String, CaseIterable {
    /// A client's bytes after the preface, to a server.
    case connection
    /// A stream's data.
    case deframer
    /// A compressed message.
    case gzip
    /// A message of one of several kinds, the first byte says which; recursive ones, whose depth is measured, among them.
    case message
    /// Percent-encoded text, Base64 and time-outs.
    case encoding

    func run(_ bytes: [UInt8]) {
        switch self {
        case .connection: HostileClient.shared.send(bytes)
        case .deframer: Self.deframe(bytes)
        case .gzip: Self.decompress(bytes)
        case .message: Self.decode(bytes)
        case .encoding: Self.readText(bytes)
        }
    }

    /// The same messages must come out, however the data is cut.
    private static func deframe(_ bytes: [UInt8]) {
        guard let step = bytes.first else { return }
        let data = Array(bytes.dropFirst())
        let whole = messages(in: data, step: max(1, data.count))
        let parts = messages(in: data, step: Int(step) + 1)
        precondition(whole.messages == parts.messages && whole.isWhole == parts.isWhole, "cut differently")
    }

    private static func messages(in data: [UInt8], step: Int) -> (messages: [WireMessage], isWhole: Bool) {
        var deframer = Deframer(limit: 1 << 16)
        deframer.allowsCompression = true
        var messages: [WireMessage] = []
        for start in stride(from: 0, to: data.count, by: step) {
            let part = Array(data[start..<min(start + step, data.count)])
            let isGood = part.withUnsafeBufferPointer { buffer in
                var rest = buffer
                do throws(RPCError) {
                    repeat {
                        if let message = try deframer.next(&rest) { messages.append(message) }
                    } while !rest.isEmpty
                } catch {
                    return false
                }
                return true
            }
            guard isGood else { return (messages, false) }
        }
        return (messages, deframer.isBetweenMessages)
    }

    private static func decompress(_ bytes: [UInt8]) {
        let limit = 1 << 20
        guard let plain = try? Compression.decompressed(bytes, limit: limit) else { return }
        precondition(plain.count <= limit, "over the limit")
        guard let again = Compression.compressed(plain) else { return }
        precondition((try? Compression.decompressed(again, limit: limit)) == plain, "not the same again")
    }

    private static let kinds: [@Sendable ([UInt8]) -> Void] = [
        { roundTrip($0, as: TestV1.Everything.self) }, { roundTrip($0, as: TestV1.Tree.self) },
        { roundTrip($0, as: TestV1.Sparse.self) }, { roundTrip($0, as: TestV1.EchoRequest.self) },
        { roundTrip($0, as: GoogleRpc.Status.self) }, { roundTrip($0, as: CommonV1.ErrorDetail.self) },
        { roundTrip($0, as: EngineV1.Event.self) }, { roundTrip($0, as: EngineV1.Limits.self) },
    ]

    private static func decode(_ bytes: [UInt8]) {
        guard let first = bytes.first else { return }
        kinds[Int(first) % kinds.count](Array(bytes.dropFirst()))
    }

    /// What was accepted is written in a form that is accepted, of the same length each time.
    private static func roundTrip<M: Message>(_ bytes: [UInt8], as type: M.Type) {
        guard let message = try? M(serialized: bytes) else { return }
        let written = message.serialized()
        guard let again = try? M(serialized: written) else {
            preconditionFailure("\(M.fullName) is not read again")
        }
        precondition(again.serialized().count == written.count, "\(M.fullName) changes")
    }

    private static func readText(_ bytes: [UInt8]) {
        let text = StatusEncoding.decode(message: bytes)
        let written = StatusEncoding.encode(message: text)
        if text.utf8.count <= 4096 {
            precondition(StatusEncoding.decode(message: written) == text, "the message changes")
        }
        _ = StatusEncoding.decode(timeout: text)
        guard let plain = Base64.decode(bytes) else { return }
        precondition(Base64.decode(Base64.encode(plain)) == plain, "Base64 changes")
    }
}
