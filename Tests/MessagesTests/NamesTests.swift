// SPDX-License-Identifier: Apache-2.0
import Messages
import RPC
import TestMessages
import Testing

/// That names of every kind compile is most of the test.
struct NamesTests {
    private typealias Names = NamesV1.Names

    private struct Naming: NamesV1.NamingService {
        func `init`(_ request: NamesV1.Channel, context: RPC.CallContext) async throws -> NamesV1.CallOptions
        { .init() }
        func self_(_ request: NamesV1.CallContext, context: RPC.CallContext) async throws -> NamesV1.RPCError
        { .init() }
        func methods(
            _ request: NamesV1.Names,
            to responses: ResponseWriter<NamesV1.Names>,
            context: RPC.CallContext
        ) async throws {}
        func serviceName(_ requests: RequestStream<NamesV1.Names>, context: RPC.CallContext) async throws
            -> NamesV1.Names
        { .init() }
        func channel(
            _ requests: RequestStream<NamesV1.Channel>,
            to responses: ResponseWriter<NamesV1.Channel>,
            context: RPC.CallContext
        ) async throws {}
        func `repeat`(_ request: NamesV1.Names.String_, context: RPC.CallContext) async throws
            -> NamesV1.Names.`class`
        { .init() }
    }

    @Test func fieldsOfAnyNameKeepTheirValues() throws {
        var names = Names(mode: .rawValue_, unknownFields_: [1], hashValue_: 2, base: "b")
        names.payload = .wrapped(.init(text: "p"))
        names.errno = 0
        names.inout = [1]
        names.var = ["k": 1]
        (names.index, names.entries, names.tag, names.writer) = ([1, 2], ["e": 1], "", 3)
        (names.values, names.end) = ([.init(text: "v")], .second(.init(text: "s")))
        (names.await, names.let, names._2nd, names.c, names.arena, names.nULL) = (1, 2, 3, 4, 5, 6)
        names.camelCase = 0
        #expect(try Names(serialized: names.serialized()) == names)
    }

    @Test(
        arguments: [
            .none(true), .some(""), .`init`(0), .`self`(0), .type(.init()),
        ] as [NamesV1.Names.Answer]
    )
    func choicesOfAnyNameSurvive(answer: NamesV1.Names.Answer) throws {
        #expect(try Names(serialized: Names(answer: answer).serialized()).answer == answer)
    }

    @Test func fieldsThatWouldClashInCDoNot() throws {
        var clashes = NamesV1.Clashes(items: ["a"], nItems: 7, choice: .number(0), choiceCase: true)
        clashes.nested = [1: .init(choice: .text("t"), flag: false)]
        #expect(try NamesV1.Clashes(serialized: clashes.serialized()) == clashes)
    }

    @Test func methodsKeepTheirNamesOnTheWire() {
        let names = Naming().methods.map(\.name)
        #expect(names == ["Init", "Self", "Methods", "ServiceName", "Channel", "Repeat"])
        #expect((Naming() as any RPCService).serviceName == "petrel.names.v1.Naming")
    }
}
