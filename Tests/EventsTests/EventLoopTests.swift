// SPDX-License-Identifier: Apache-2.0
import Events
import Synchronization
import System
import Testing

@Suite(.timeLimit(.minutes(1)))
struct EventLoopTests {
    /// In the order of their time, never early; those that were cancelled are left out, however many there were.
    @Test func timersComeInTheOrderOfTheirTime() async throws {
        let loop = EventLoop.shared
        let count = 5000
        // Late enough that all are scheduled before, also on a busy machine.
        let start = Clock.bootNanos + 2_000_000_000
        let (stream, calls) = AsyncStream.makeStream(of: (number: Int, at: Int64).self)
        // Each number once, in no order: the factor and the count have no divisor in common.
        let numbers = (0..<count).map { $0 * 1237 % count }
        let due = { (number: Int) in start + Int64(number) * 10_000 }
        var timers: [Timer] = []
        for number in numbers {
            timers.append(
                loop.schedule(atBootNanos: due(number)) { calls.yield((number, Clock.bootNanos)) }
            )
        }
        for (number, timer) in zip(numbers, timers) where !number.isMultiple(of: 10) { loop.cancel(timer) }
        var seen: [Int] = []
        for await call in stream {
            #expect(call.at >= due(call.number))
            seen.append(call.number)
            if seen.count == count / 10 { break }
        }
        #expect(seen == stride(from: 0, to: count, by: 10).map(\.self))
    }

    /// Both are due in the same pass of the loop.
    @Test func aTimerThatAnotherCancelsIsSilent() async {
        let loop = EventLoop.shared
        let calls = Mutex<[String]>([])
        let second = Mutex<Timer?>(nil)
        await withCheckedContinuation { end in
            loop.execute {
                let due = Clock.bootNanos + 1_000_000
                loop.schedule(atBootNanos: due) {
                    calls.withLock { $0.append("first") }
                    if let second = second.withLock({ $0 }) { loop.cancel(second) }
                }
                let timer = loop.schedule(atBootNanos: due) { calls.withLock { $0.append("second") } }
                second.withLock { $0 = timer }
                loop.schedule(atBootNanos: due) { end.resume() }
            }
        }
        #expect(calls.withLock { $0 } == ["first"])
    }

    /// The loop waits for something later, or for something that is cancelled.
    @Test func theTimeOfALoopThatWaitsIsKept() async throws {
        let loop = EventLoop.shared
        let late = loop.schedule(after: .seconds(600)) {}
        try await Task.sleep(for: .milliseconds(20))
        for millis in [200, 30, 60] as [Int64] {
            let cancelled = loop.schedule(after: .milliseconds(millis / 2)) { Issue.record("was cancelled") }
            let due = Clock.bootNanos + millis * 1_000_000
            let at = Mutex<Int64>(0)
            loop.cancel(cancelled)
            await withCheckedContinuation { end in
                loop.schedule(atBootNanos: due) {
                    at.withLock { $0 = Clock.bootNanos }
                    end.resume()
                }
            }
            #expect(at.withLock { $0 } >= due)
        }
        loop.cancel(late)
    }

    /// The loop's timer is one; without it, the wait keeps the time.
    @Test func timeIsKeptWithoutADescriptorToSpare() async {
        await #expect(processExitsWith: .success) {
            let loop = EventLoop.shared
            let hard = try ResourceLimits.value(ResourceLimits.openFiles).hard
            try ResourceLimits.set(ResourceLimits.openFiles, soft: 128, hard: hard)
            var taken: [Int32] = []
            while let file = try? Files.open("/dev/null", .readOnly) { taken.append(file.relinquish()) }
            for round in 0..<4 {
                if round == 2 { for file in taken { try Descriptor(adopting: file).close() } }
                let due = Clock.bootNanos + 20_000_000
                let at = await withCheckedContinuation { end in
                    loop.schedule(atBootNanos: due) { end.resume(returning: Clock.bootNanos) }
                }
                #expect(at >= due)
            }
        }
    }

    @Test(arguments: [Int64.min, -1, 0, 1, 1_000_000])
    func whatIsDueAlreadyIsCalledSoon(dueNanos: Int64) async {
        await withCheckedContinuation { end in
            EventLoop.shared.schedule(atBootNanos: dueNanos) { end.resume() }
        }
    }

    /// Tells what it heard, and does something about it.
    private final class Listener: EventLoop.Source {
        private(set) var heard = 0
        private let body: (Listener) -> Void

        init(_ body: @escaping (Listener) -> Void) { self.body = body }

        func ready(_ found: Epoll.Interest) {
            heard += 1
            body(self)
        }
    }

    /// Both were found in one wait; the first that is told ends the watch of the other.
    @Test func whatIsNotWatchedAnyMoreIsNotToldInTheSamePass() async throws {
        let first = try Pipe()
        let second = try Pipe()
        try Files.writeAll(first.writeEnd.raw, [1])
        try Files.writeAll(second.writeEnd.raw, [1])
        let (one, other) = (first.readEnd.raw, second.readEnd.raw)
        let heard = try await onLoop { loop, finish in
            var watches: [EventLoop.Watch] = []
            var sources: [Listener] = []
            let stop: (Listener) -> Void = { _ in
                for watch in watches { loop.unwatch(watch) }
                // Whatever takes its place hears nothing of it either.
                let next = Listener { _ in }
                let watch = try? loop.watch(other, .writable, next)
                if let watch { loop.unwatch(watch) }
                loop.schedule(after: .milliseconds(20)) { [all = EventLoop.Bound(sources + [next])] in
                    finish(all.value.map(\.heard).reduce(0, +))
                }
            }
            sources = [Listener(stop), Listener(stop)]
            watches = [
                try loop.watch(one, .readable, sources[0]), try loop.watch(other, .readable, sources[1]),
            ]
        }
        #expect(heard == 1)
    }

    /// As long as it is ready, and again once it has been asked to be quiet.
    @Test func aSourceIsToldAsLongAsThereIsSomething() async throws {
        let pipe = try Pipe()
        try Files.writeAll(pipe.writeEnd.raw, [1])
        let raw = pipe.readEnd.raw
        let heard = try await onLoop { loop, finish in
            var watch: EventLoop.Watch?
            let source = Listener { source in
                guard let watch else { return }
                switch source.heard {
                case 3:
                    loop.change(watch, Epoll.Interest())
                    loop.schedule(after: .milliseconds(20)) { [source = EventLoop.Bound(source)] in
                        guard source.value.heard == 3 else { return finish(source.value.heard) }
                        loop.change(watch, .readable)
                    }
                case 5:
                    loop.unwatch(watch)
                    loop.schedule(after: .milliseconds(20)) { [source = EventLoop.Bound(source)] in
                        finish(source.value.heard)
                    }
                default: break
                }
            }
            watch = try loop.watch(raw, .readable, source)
        }
        #expect(heard == 5)
    }

    private final class Flag: Sendable {
        let value = Atomic(false)
    }

    /// Tasks that never stop making others ready do not keep the loop from its descriptors.
    @Test func tasksLeaveDescriptorsTheirTurn() async throws {
        let pipe = try Pipe()
        let raw = pipe.readEnd.raw
        let isOver = Flag()
        let tasks = (0..<4).map { _ in
            Task(executorPreference: EventLoop.shared) {
                while !isOver.value.load(ordering: .relaxed) { await Task.yield() }
            }
        }
        try Files.writeAll(pipe.writeEnd.raw, [1])
        let heard = try await onLoop { loop, finish in
            var watch: EventLoop.Watch?
            let source = Listener { source in
                if let watch { loop.unwatch(watch) }
                finish(source.heard)
            }
            watch = try loop.watch(raw, .readable, source)
        }
        isOver.value.store(true, ordering: .relaxed)
        for task in tasks { await task.value }
        #expect(heard == 1)
    }

    /// Runs `body` on the loop, and returns what it finishes with.
    private func onLoop(
        _ body: @escaping @Sendable (EventLoop, _ finish: @escaping @Sendable (Int) -> Void) throws -> Void
    ) async throws -> Int {
        try await withCheckedThrowingContinuation { continuation in
            EventLoop.shared.execute {
                do { try body(.shared) { continuation.resume(returning: $0) } } catch {
                    continuation.resume(throwing: error)
                }
            }
        }
    }
}
