// SPDX-License-Identifier: Apache-2.0
import Foundation
import Messages
import RPC
import TestMessages
import TestSupport
import Testing

/// Brings the descriptors of everything that is tested.
private struct Inspection: TestV1.InspectionService {
    func inspect(_ request: GoogleProtobuf.`Any`, context: CallContext) async throws -> GoogleProtobuf.Empty {
        .init()
    }
}

/// Random messages that Python's protobuf makes go through ours and back, and must mean the same to it.
struct PythonRoundTripTests {
    private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Python/round_trip.py").path

    /// A Python that has the protobuf package: the one in the PATH may be another than the system's.
    private static let python: String? = {
        let candidates = [programPath("python3"), "/usr/bin/python3"].compactMap { $0 }
        return candidates.first { path in
            (try? run(path, ["-c", "import google.protobuf"]))?.status == 0
        }
    }()

    private static func coded<M: Message>(_ type: M.Type) -> (String, @Sendable ([UInt8]) throws -> [UInt8]) {
        (M.fullName, { try M(serialized: $0).serialized() })
    }

    /// Every type that the script may choose.
    private static let types = Dictionary(
        uniqueKeysWithValues: [
            coded(TestV1.Complete.self), coded(TestV1.Complete.Scalars.self),
            coded(TestV1.Complete.Optionals.self), coded(TestV1.Complete.Lists.self),
            coded(TestV1.Complete.Maps.self), coded(TestV1.Complete.Choices.self),
            coded(TestV1.Complete.WellKnown.self), coded(TestV1.Chain.self), coded(TestV1.Link.self),
            coded(TestV1.Expression.self), coded(TestV1.Expression.Sum.self), coded(TestV1.Older.self),
            coded(TestV1.Older.Scalars.self), coded(TestV1.Older.Lists.self), coded(TestV1.Older.Maps.self),
            coded(TestV1.Older.Choices.self), coded(TestV1.Older.Chain.self), coded(TestV1.Tree.self),
            coded(TestV1.Everything.self), coded(TestV1.Everything.Nested.self), coded(TestV1.Sparse.self),
            coded(TestV1.EchoRequest.self), coded(TestV1.EchoResponse.self),
            coded(GoogleProtobuf.`Any`.self), coded(GoogleProtobuf.Timestamp.self),
            coded(GoogleProtobuf.Duration.self), coded(GoogleProtobuf.Empty.self),
            coded(GoogleProtobuf.Struct.self), coded(GoogleProtobuf.Value.self),
            coded(GoogleProtobuf.ListValue.self), coded(GoogleProtobuf.FieldMask.self),
            coded(GoogleProtobuf.DoubleValue.self), coded(GoogleProtobuf.FloatValue.self),
            coded(GoogleProtobuf.Int64Value.self), coded(GoogleProtobuf.UInt64Value.self),
            coded(GoogleProtobuf.Int32Value.self), coded(GoogleProtobuf.UInt32Value.self),
            coded(GoogleProtobuf.BoolValue.self), coded(GoogleProtobuf.StringValue.self),
            coded(GoogleProtobuf.BytesValue.self),
        ]
    )

    /// `PETREL_TEST_SEED` repeats a run.
    @Test(
        .enabled(if: python != nil, "needs the program python3 with the package protobuf (python3-protobuf)")
    )
    func randomMessagesMeanTheSameToPython() async throws {
        try await blocking { try roundTrip() }
    }

    private func roundTrip() throws {
        let python = try #require(Self.python)
        let given = ProcessInfo.processInfo.environment["PETREL_TEST_SEED"].flatMap(UInt32.init)
        let seed = given ?? UInt32.random(in: 0...UInt32.max)
        try withTemporaryDirectory { directory in
            let paths = ["descriptors", "cases", "answers"].map { directory + "/" + $0 }
            try Data(descriptorSet).write(to: URL(fileURLWithPath: paths[0]))
            try succeed(python, [Self.script, "make", paths[0], paths[1], String(seed), "2000"])
            let cases = try Data(contentsOf: URL(fileURLWithPath: paths[1]))
            try answers(to: [UInt8](cases)).write(to: URL(fileURLWithPath: paths[2]))
            let verdict = try run(python, [Self.script, "check"] + paths)
            #expect(verdict.status == 0, "seed \(seed)\n\(verdict.stdout)\(verdict.stderr)")
        }
    }

    /// `google.protobuf.FileDescriptorSet`.
    private var descriptorSet: [UInt8] {
        var result: [UInt8] = []
        for file in Inspection().fileDescriptors {
            let bytes = file.bytes
            result.append(0x0a)
            var length = bytes.count
            while length >= 0x80 {
                result.append(UInt8(length & 0x7f) | 0x80)
                length >>= 7
            }
            result.append(UInt8(length))
            result += bytes
        }
        return result
    }

    private func answers(to cases: [UInt8]) throws -> Data {
        var answers = Data()
        var position = 0
        func part() throws -> [UInt8] {
            try #require(position + 4 <= cases.count)
            let size = (0..<4).reduce(0) { $0 | Int(cases[position + $1]) << (8 * $1) }
            position += 4 + size
            try #require(position <= cases.count)
            return Array(cases[position - size..<position])
        }
        func append(_ bytes: [UInt8]) {
            for shift in 0..<4 { answers.append(UInt8(truncatingIfNeeded: bytes.count >> (8 * shift))) }
            answers.append(contentsOf: bytes)
        }
        while position < cases.count {
            let name = String(decoding: try part(), as: UTF8.self)
            _ = try part()
            let bytes = try part()
            do {
                let coded = try #require(Self.types[name], "type \(name)")
                let answer = try coded(bytes)
                append(Array("ok".utf8))
                append(answer)
            } catch {
                append(Array("\(error)".utf8))
                append([])
            }
        }
        return answers
    }
}
