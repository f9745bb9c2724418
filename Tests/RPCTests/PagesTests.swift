// SPDX-License-Identifier: Apache-2.0
import Messages
import RPC
import TestMessages
import Testing

struct PagesTests {
    private struct Item {
        let place: NewestFirst

        init(_ number: Int) {
            // Several of the same time.
            place = NewestFirst(createdAtUnixNanos: Int64(number / 3), id: String(1_000 + number))
        }
    }

    private func page(_ items: [Item], after token: String) throws(RPCError) -> ([String], next: String) {
        let page = try NewestFirst.page(of: items, after: token, by: \.place) { item in
            TestV1.EchoResponse(text: item.place.id, data: [UInt8](repeating: 0, count: 100_000))
        }
        #expect(page.messages.reduce(0) { $0 + $1.serialized().count } <= 1 << 20)
        return (page.messages.map(\.text), page.next)
    }

    @Test func aLongListComesWholeAndInOrder() async throws {
        let items = (0..<50).map(Item.init)
        let ids = try await Pages.all { token async throws(RPCError) in
            try page(items.reversed(), after: token)
        }
        #expect(ids == items.sorted { $0.place < $1.place }.map(\.place.id))
        #expect(ids.count == 50 && ids.first == "1048")
    }

    @Test func whatChangesBetweenPagesMovesNothingElse() async throws {
        var items = (0..<30).map(Item.init)
        let (first, next) = try page(items, after: "")
        // The last of the page is gone, and there is a new one before all others.
        items.removeAll { $0.place.id == first.last }
        items.append(Item(100))
        let rest = try await Pages.all { token async throws(RPCError) in
            try page(items, after: token.isEmpty ? next : token)
        }
        #expect(Set(first).isDisjoint(with: rest) && first.count + rest.count == 30)
    }

    @Test func oneLargeElementIsAPage() throws {
        let large = [UInt8](repeating: 0, count: 3 << 20)
        let page = Pages.first(of: [1, 2], token: { "\($0)" }) { _ in TestV1.EchoResponse(data: large) }
        #expect(page.messages.count == 1 && page.next == "1")
    }

    @Test(arguments: ["x", "1", ":a", "1.5:a"]) func whatIsNoTokenIsSaid(token: String) {
        #expect(throws: RPCError.self) { try page([], after: token) }
    }
}
