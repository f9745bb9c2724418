// SPDX-License-Identifier: Apache-2.0
internal import Messages
internal import System

/// The keeper's end of a process's standard input: a pipe's write end, or the terminal.
final class StdinPipe {
    let descriptor: SharedDescriptor
    let isTerminal: Bool
    /// Taken from a client and not yet accepted by the process: at most one read's worth.
    private(set) var waiting: ArraySlice<UInt8> = []
    static let bytesAtOnce = 16 << 10

    init(_ descriptor: SharedDescriptor, isTerminal: Bool) {
        self.descriptor = descriptor
        self.isTerminal = isTerminal
    }

    enum Acceptance { case all, part, closed }

    /// Passes bytes on; what does not fit waits.
    func accept(_ bytes: [UInt8]) -> Acceptance {
        waiting += bytes
        return push()
    }

    /// Tries again with what waits.
    func push() -> Acceptance {
        while !waiting.isEmpty {
            do throws(SystemError) {
                waiting = waiting.dropFirst(try Files.writeSome(descriptor.raw, waiting))
            } catch  where error.name == "EAGAIN" {
                return .part
            } catch {
                // The process has closed its input.
                waiting = []
                return .closed
            }
        }
        waiting = []
        return .all
    }
}
