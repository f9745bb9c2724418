// SPDX-License-Identifier: Apache-2.0
import Events
import Testing

struct SmallProgramTests {
    /// - Parameter looks: What was used since the look before, in milliseconds and in faults.
    private func answers(_ looks: [(milliseconds: Int64, faults: Int)]) -> [Bool] {
        var work = SmallProgram.Work(.init(processorNanos: 0, faults: 0))
        var (nanos, faults): (Int64, Int) = (0, 0)
        return looks.map { look in
            nanos += look.milliseconds * 1_000_000
            faults += look.faults
            return work.isOver(.init(processorNanos: nanos, faults: faults))
        }
    }

    /// What the start brought in goes; a program that works is left alone until it has stopped.
    @Test func workIsOverWhenItIsOver() {
        #expect(answers([(40, 2000), (0, 0), (0, 0), (0, 0)]) == [false, true, false, false])
        #expect(
            answers([(0, 0), (500, 900), (700, 0), (20, 0), (0, 0), (0, 0)])
                == [true, false, false, false, true, false]
        )
    }

    /// One short call may bring in megabytes; a timer brings in next to nothing, however often.
    @Test func whatWasBroughtInCounts() {
        #expect(answers([(0, 0), (1, 130), (0, 0), (0, 0)]) == [true, false, true, false])
        #expect(answers([(0, 0), (0, 130), (0, 0)]) == [true, true, false])
        #expect(answers([(0, 0), (0, 6), (0, 6), (0, 6), (0, 6)]) == [true, false, false, false, true])
        #expect(answers([(0, 0), (2, 4), (0, 4), (2, 4), (0, 4)]) == [true, false, false, false, false])
    }

    /// Letting go brings in again what does it; that is no reason to let go once more.
    @Test func whatLettingGoBringsInDoesNotCount() {
        var work = SmallProgram.Work(.init(processorNanos: 0, faults: 0))
        let started = work.isOver(.init(processorNanos: 0, faults: 100))
        work.begin(.init(processorNanos: 300_000, faults: 140))
        let answers = [150, 160].map { work.isOver(.init(processorNanos: 300_000, faults: $0)) }
        #expect(started && answers == [false, true])
    }
}
