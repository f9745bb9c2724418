// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Events
import MachineCheck
import Rendering
import System

/// petrel: reads the command line, runs one command, ends with its exit code.
///
/// A synchronous `main` that starts one task: an asynchronous one costs a static executable 5 ms. A command that only asks, and
/// that any signal may end as the kernel does it, runs on the main thread alone. For all others the main thread waits for
/// signals, which are blocked in every other thread.
@main
struct Main {
    static func main() {
        // A probe of this machine: before there is a second thread, since it changes its namespaces.
        if CommandLine.arguments.dropFirst().first == ProbeProcess.word {
            CurrentProcess.exit(ProbeProcess.main(Array(CommandLine.arguments.dropFirst(2))))
        }
        do {
            EventLoop.leaveWithoutThread()
            EarlyConnection.begin(CommandLine.arguments)
            let invocation = try Invocation(CommandLine.arguments)
            let work = try invocation.work()
            let executor = invocation.executor
            guard executor == nil || work.takesSignals else {
                // The one task of the program; it ends the process.
                Task.detached(executorPreference: executor) { await perform(work) }
                EventLoop.shared.runHere()
            }
            // Before there is a second thread.
            let signals = try SignalQueue(Signals.watched)
            try EventLoop.shared.start()
            Task.detached(executorPreference: executor) { await perform(work) }
            try Signals.shared.forward(from: signals)
        } catch {
            end(with: error)
        }
    }

    @concurrent private static func perform(_ work: Invocation.Work) async {
        do {
            try await work.carryOut()
            Ending.exit(0)
        } catch {
            end(with: error)
        }
    }

    /// Says what went wrong and ends the process.
    private static func end(with error: any Error) -> Never {
        switch error {
        case let exit as ExitCode: Ending.exit(exit.rawValue)
        case let failure as Failure:
            Screen.say(failure.lines)
            Ending.exit(failure.exitCode)
        case let error as SystemError where error.name == "EPIPE":
            // Whoever read our output has gone; there is nobody to tell.
            Ending.exit(1)
        case let help as HelpRequested:
            do throws(Failure) {
                Screen.print(try help.lines().joined(separator: "\n"))
            } catch {
                Screen.say(error.lines)
                Ending.exit(1)
            }
            Ending.exit(0)
        // `--version` reaches us as an error too.
        case _ where Petrel.exitCode(for: error).isSuccess:
            Screen.print(Petrel.fullMessage(for: error))
            Ending.exit(0)
        default:
            Screen.say(Failure("", "\(error)").lines)
            Ending.exit(1)
        }
    }
}
