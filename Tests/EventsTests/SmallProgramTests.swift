// SPDX-License-Identifier: Apache-2.0
import Events
import Testing

struct SmallProgramTests {
    private func answers(_ milliseconds: [Int64]) -> [Bool] {
        var work = SmallProgram.Work(usedNanos: 0)
        var used: Int64 = 0
        return milliseconds.map { part in
            used += part * 1_000_000
            return work.isOver(usedNanos: used)
        }
    }

    /// What the start brought in goes; what a program does all the time is left alone, as is one that works.
    @Test func workIsOverWhenItIsOver() {
        #expect(answers([40, 0, 0, 0]) == [false, true, false, false])
        #expect(answers([0, 0, 500, 700, 20, 0, 0]) == [true, false, false, false, false, true, false])
        #expect(answers([0, 2, 0, 0]) == [true, false, false, false])
    }

    @Test func littleAddsUp() {
        #expect(answers([0, 2, 0, 2, 0, 0]) == [true, false, false, false, true, false])
    }
}
