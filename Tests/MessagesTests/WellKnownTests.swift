// SPDX-License-Identifier: Apache-2.0
import Messages
import System
import TestMessages
import Testing

struct WellKnownTests {
    @Test(
        arguments: [
            (0, 0, 0), (1, 0, 1), (1_500_000_000, 1, 500_000_000), (-1, -1, 999_999_999),
            (-1_000_000_000, -1, 0), (.max, 9_223_372_036, 854_775_807), (.min, -9_223_372_037, 145_224_192),
        ] as [(Int64, Int64, Int32)]
    )
    func timestampsAreMoments(unixNanos: Int64, seconds: Int64, nanos: Int32) throws {
        let timestamp = GoogleProtobuf.Timestamp(System.Timestamp(unixNanos: unixNanos))
        #expect(timestamp == .init(seconds: seconds, nanos: nanos))
        #expect(System.Timestamp(timestamp)?.unixNanos == unixNanos)
    }

    @Test(
        arguments: [
            (0, -1), (0, 1_000_000_000), (9_223_372_036, 854_775_808), (-9_223_372_037, 145_224_191),
            (.max, 0),
            (.min, 0),
        ] as [(Int64, Int32)]
    )
    func momentsOutOfRangeAreNone(seconds: Int64, nanos: Int32) {
        #expect(System.Timestamp(GoogleProtobuf.Timestamp(seconds: seconds, nanos: nanos)) == nil)
    }

    @Test(
        arguments: [
            (.zero, 0, 0), (.milliseconds(1500), 1, 500_000_000), (.milliseconds(-1500), -1, -500_000_000),
            (.nanoseconds(-1), 0, -1), (.seconds(315_576_000_000), 315_576_000_000, 0),
        ] as [(Swift.Duration, Int64, Int32)]
    )
    func durationsAreSpans(duration: Swift.Duration, seconds: Int64, nanos: Int32) {
        let message = GoogleProtobuf.Duration(duration)
        #expect(message == .init(seconds: seconds, nanos: nanos))
        #expect(Swift.Duration(message) == duration)
    }

    @Test func whatIsLessThanANanosecondIsDropped() {
        #expect(
            GoogleProtobuf.Duration(Swift.Duration(secondsComponent: 0, attosecondsComponent: 999_999_999))
                == .init()
        )
    }

    @Test(
        arguments: [
            (1, -1), (-1, 1), (0, 1_000_000_000), (315_576_000_001, 0), (.min, 0),
        ] as [(Int64, Int32)]
    )
    func spansOutOfRangeAreNone(seconds: Int64, nanos: Int32) {
        #expect(Swift.Duration(GoogleProtobuf.Duration(seconds: seconds, nanos: nanos)) == nil)
    }

    @Test func anyMessageCanBePacked() throws {
        let content = TestV1.Tree(name: "t")
        let any = GoogleProtobuf.`Any`(packing: content)
        #expect(any.typeUrl == "type.googleapis.com/petrel.test.v1.Tree")
        #expect(try any.unpacked() == content)
        #expect(try any.unpacked(as: TestV1.Sparse.self) == nil)
        #expect(throws: MessageError.self) {
            try GoogleProtobuf.`Any`(typeUrl: any.typeUrl, value: [0xff]).unpacked(as: TestV1.Tree.self)
        }
    }

    @Test func documentsAreStructs() throws {
        let list = GoogleProtobuf.ListValue(values: [
            .init(kind: .nullValue(.nullValue)), .init(kind: .boolValue(false)), .init(kind: .numberValue(0)),
            .init(),
        ])
        var document = GoogleProtobuf.Struct(fields: ["list": .init(kind: .listValue(list))])
        for depth in 0..<20 {
            document = .init(fields: ["d\(depth)": .init(kind: .structValue(document))])
        }
        #expect(try GoogleProtobuf.Struct(serialized: document.serialized()) == document)
        for _ in 0..<20 { document = .init(fields: ["d": .init(kind: .structValue(document))]) }
        // Each level is three messages: the struct, the map's entry, the value.
        #expect(throws: MessageError.tooDeep(message: "google.protobuf.Struct")) {
            try GoogleProtobuf.Struct(serialized: document.serialized())
        }
    }

    @Test func theBytesAreTheWellKnownOnes() {
        #expect(GoogleProtobuf.Timestamp(seconds: 1, nanos: 2).serialized() == [0x08, 1, 0x10, 2])
        #expect(GoogleProtobuf.FieldMask(paths: ["a"]).serialized() == [0x0a, 1, 0x61])
        #expect(GoogleProtobuf.Value(kind: .nullValue(.nullValue)).serialized() == [0x08, 0])
        #expect(GoogleProtobuf.Value(kind: .boolValue(true)).serialized() == [0x20, 1])
        #expect(GoogleProtobuf.StringValue(value: "a").serialized() == [0x0a, 1, 0x61])
        #expect(GoogleProtobuf.Empty().serialized() == [])
    }
}
