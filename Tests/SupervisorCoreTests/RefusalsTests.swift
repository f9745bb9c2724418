// SPDX-License-Identifier: Apache-2.0
import SupervisorCore
import Testing

struct RefusalsTests {
    private func id(_ number: Int) throws -> ContainerID {
        let digits = String(number, radix: 16)
        return try #require(ContainerID(String(repeating: "0", count: 64 - digits.count) + digits))
    }

    @Test func anIDIsRefusedForAWhile() throws {
        var refusals = Refusals()
        refusals.add(try id(1), atBootNanos: 0)
        refusals.add(try id(2), atBootNanos: 500_000_000_000)
        let ids = try (1...3).map(id)
        #expect(ids.map(refusals.contains) == [true, true, false])
        refusals.add(ids[2], atBootNanos: 700_000_000_000)
        #expect(ids.map(refusals.contains) == [false, true, true])
    }

    @Test func theirNumberIsBounded() throws {
        var refusals = Refusals()
        let ids = try (0..<5000).map(id)
        for id in ids + ids.suffix(1) { refusals.add(id, atBootNanos: 0) }
        let known = ids.map(refusals.contains)
        #expect(known.first == false && known.last == true)
        #expect((700...1024).contains(known.filter { $0 }.count))
    }
}
