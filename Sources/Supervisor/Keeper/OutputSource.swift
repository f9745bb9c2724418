// SPDX-License-Identifier: Apache-2.0
internal import Logs
internal import Messages
internal import System

/// Where a process's output comes out: a pipe's read end, or a terminal with a private pipe behind it.
///
/// Bytes leave it only by splice from the pipe, so those that were not moved are still there for the next keeper.
final class OutputSource {
    /// Bytes moved from one source before others have their turn.
    static let bytesAtOnce = 1 << 20

    let stream: OutputStream
    let pipe: SharedDescriptor
    /// Where an exec's output goes.
    let stage: OutputStage?
    /// The terminal, and the write end of the private pipe.
    private let terminal: (master: SharedDescriptor, pipeWrite: SharedDescriptor)?
    /// All its writers are gone, and all bytes were moved.
    private(set) var isAtEnd = false
    private var terminalEnded = false
    private var pace = OutputPace()

    init(_ stream: OutputStream, pipe: SharedDescriptor, stage: OutputStage?) {
        self.stream = stream
        self.pipe = pipe
        self.stage = stage
        terminal = nil
    }

    init(
        terminal: SharedDescriptor,
        pipeRead: SharedDescriptor,
        pipeWrite: SharedDescriptor,
        stage: OutputStage?
    ) {
        stream = .standardOutput
        pipe = pipeRead
        self.stage = stage
        self.terminal = (terminal, pipeWrite)
    }

    var roles: [(KeeperV1.NamedDescriptor.Role, SharedDescriptor)] {
        let isError = stream == .standardError
        let staged: [(KeeperV1.NamedDescriptor.Role, SharedDescriptor)] =
            stage.map { [(isError ? .stderrStage : .stdoutStage, $0.file)] } ?? []
        guard let terminal else { return [(isError ? .stderrRead : .stdoutRead, pipe)] + staged }
        return [
            (.terminal, terminal.master), (.terminalPipeRead, pipe), (.terminalPipeWrite, terminal.pipeWrite),
        ] + staged
    }

    /// Everything was taken, and received.
    var isDrained: Bool { isAtEnd && stage?.isAcknowledged ?? true }

    /// What to wait for: bytes in the pipe, or (with that empty) something on the terminal; nil at the end.
    var watched: Int32? {
        if isAtEnd { return nil }
        guard let terminal else { return pipe.raw }
        return waiting > 0 || terminalEnded ? pipe.raw : terminal.master.raw
    }

    /// Bytes that can be moved from `pipe` now.
    private var waiting: Int { (try? Splice.available(in: pipe.raw)) ?? 0 }

    /// Looks what there is to move, filling the private pipe from the terminal when that is empty; sets `isAtEnd`.
    func lookForBytes(hungUp: Bool) -> Int {
        let count = waiting
        guard count == 0 else { return count }
        guard let terminal else {
            // No writer is left, and after that look nothing can have come.
            if hungUp { isAtEnd = waiting == 0 }
            return waiting
        }
        if !terminalEnded { fillFromTerminal(terminal.master, terminal.pipeWrite) }
        let filled = waiting
        if filled == 0, terminalEnded { isAtEnd = true }
        return filled
    }

    /// When to look at it again; nil: whenever there is something.
    var restsUntil: Int64? { pace.restsUntil }

    /// Bytes were moved from it.
    func noteMoved(_ count: Int) {
        // A terminal is read in smaller pieces than its pipe holds.
        guard terminal == nil else { return }
        pace.note(count, now: Clock.bootNanos) {
            (try? Pipe.resize(pipe.raw, toBytes: Self.bytesAtOnce)) != nil
        }
    }

    /// More of it could be taken, if there were any.
    var isOpenWithRoom: Bool { !isAtEnd && stage?.hasRoom ?? true }

    /// Nobody will read it any more.
    func abandon() { isAtEnd = true }

    private func fillFromTerminal(_ master: SharedDescriptor, _ pipeWrite: SharedDescriptor) {
        do throws(SystemError) {
            if try Splice.move(from: master.raw, to: pipeWrite.raw, count: 64 << 10) == 0 {
                terminalEnded = true
            }
        } catch {
            // EIO: the last program on the terminal's other side is gone.
            if error.name != "EAGAIN" { terminalEnded = true }
        }
    }
}
