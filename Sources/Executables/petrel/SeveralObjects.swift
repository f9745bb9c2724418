// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Rendering

/// Does one thing for each of several objects, goes on after a failure, and reports all of them.
func forEach(_ names: [String], _ action: (String) async throws -> String) async throws {
    var report = Report()
    for name in names {
        do { report.add(.done(try await action(name))) } catch let failure as Failure {
            report.add(.failed(failure))
        }
    }
    try report.end()
}

/// The same for those that need not wait for each other, fifty at a time; they are reported in their order.
/// - Parameter action: Returns nil when there is nothing to print.
func forAll(
    _ names: [String],
    _ action: @escaping @Sendable (String) async throws -> String?
) async throws {
    let most = 50
    var report = Report()
    var done: [Int: Report.Outcome] = [:]
    try await withThrowingTaskGroup(of: Numbered.self) { group in
        for (index, name) in names.enumerated() {
            if index >= most, let next = try await group.next() { done[next.index] = next.outcome }
            report.add(&done)
            group.addTask {
                do {
                    // Not within what is returned: swiftc 6.3.1 loses the index then.
                    let line = try await action(name)
                    return Numbered(index: index, outcome: .done(line))
                } catch let failure as Failure {
                    return Numbered(index: index, outcome: .failed(failure))
                }
            }
        }
        while let next = try await group.next() {
            done[next.index] = next.outcome
            report.add(&done)
        }
    }
    try report.end()
}

private struct Numbered: Sendable {
    let index: Int
    let outcome: Report.Outcome
}

/// What became of each of several objects, shown as it comes.
private struct Report {
    enum Outcome {
        /// With what is to be printed.
        case done(String?)
        case failed(Failure)
    }

    private var count = 0
    private var code: Int32 = 0

    /// Takes those whose turn has come.
    mutating func add(_ outcomes: inout [Int: Outcome]) {
        while let outcome = outcomes.removeValue(forKey: count) { add(outcome) }
    }

    mutating func add(_ outcome: Outcome) {
        count += 1
        switch outcome {
        case .done(let line?): Screen.print(line)
        case .done(nil): break
        case .failed(let failure):
            Screen.say(failure.lines)
            code = failure.exitCode
        }
    }

    func end() throws { if code != 0 { throw ExitCode(code) } }
}
