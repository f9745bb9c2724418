// SPDX-License-Identifier: Apache-2.0
import Events
import Testing

struct SmallProgramTests {
    /// What was used since the look before.
    private typealias Look = (milliseconds: Int64, faults: Int)

    private func quiet(_ count: Int) -> [Look] { Array(repeating: (0, 0), count: count) }

    /// - Returns: The numbers, from 1, of the looks at which the work was over.
    private func ends(_ looks: [Look]) -> [Int] {
        var work = SmallProgram.Work(.init(processorNanos: 0, faults: 0))
        var (nanos, faults): (Int64, Int) = (0, 0)
        var found: [Int] = []
        for (index, look) in looks.enumerated() {
            nanos += look.milliseconds * 1_000_000
            faults += look.faults
            if work.isOver(.init(processorNanos: nanos, faults: faults)) { found.append(index + 1) }
        }
        return found
    }

    /// What the start brought in goes; a program that works is left alone until it has stopped for some time.
    @Test func workIsOverWhenItIsOver() {
        #expect(ends([(40, 2000)] + quiet(2)).isEmpty)
        #expect(ends([(40, 2000)] + quiet(20)) == [4])
        #expect(ends(quiet(5) + [(500, 900), (700, 0), (20, 0)] + quiet(10)) == [3, 11])
    }

    /// As somebody types: each brings in some, none of it goes in between.
    @Test func whatIsUsedNowAndThenStays() {
        let commands = Array(repeating: [(5, 40)] + quiet(2), count: 20).flatMap(\.self)
        #expect(ends(commands) == [])
        #expect(ends(commands + quiet(10)) == [commands.count + 1])
    }

    /// One short call may bring in megabytes; a timer brings in next to nothing, however often.
    @Test func whatWasBroughtInCounts() {
        #expect(ends(quiet(5) + [(1, 130)] + quiet(10)) == [3, 9])
        #expect(ends(quiet(5) + [(0, 130)] + quiet(10)) == [3, 6])
        #expect(ends(quiet(5) + Array(repeating: (0, 3), count: 9)) == [3, 12])
        #expect(ends(quiet(5) + Array(repeating: (2, 4), count: 9) + [(0, 4)]) == [3])
    }

    /// Letting go brings in again what does it; that is no reason to let go once more.
    @Test func whatLettingGoBringsInDoesNotCount() {
        var work = SmallProgram.Work(.init(processorNanos: 0, faults: 0))
        var answers = (1...3).map { work.isOver(.init(processorNanos: 0, faults: 100 + $0)) }
        #expect(answers == [false, false, true])
        work.begin(.init(processorNanos: 300_000, faults: 140))
        answers = (1...10).map { _ in work.isOver(.init(processorNanos: 300_000, faults: 150)) }
        #expect(!answers.contains(true))
        answers = (1...3).map { _ in work.isOver(.init(processorNanos: 300_000, faults: 160)) }
        #expect(answers == [true, false, false])
    }
}
