// SPDX-License-Identifier: Apache-2.0
internal import ContainerRuntime
internal import Logs
internal import Messages
internal import System

/// A new process's standard streams: the ends it gets, which are closed here once it has them, and the keeper's ends.
struct Streams: ~Copyable {
    private let childEnds: [SharedDescriptor]
    let standard: StandardStreams
    private let stdinWrite: SharedDescriptor?
    private let outputs: [(OutputStream, SharedDescriptor)]

    /// - Parameter terminal: Columns and rows; nil: pipes.
    init(terminal: (UInt16, UInt16)?, openStdin: Bool, discardsOutput: Bool) throws(StepFailure) {
        if let terminal {
            childEnds = []
            standard = .terminal(columns: terminal.0, rows: terminal.1)
            stdinWrite = nil
            outputs = []
            return
        }
        do throws(SystemError) {
            let null = SharedDescriptor(try Files.open("/dev/null", .readWrite))
            let input = openStdin ? try PipeEnds() : nil
            let output = discardsOutput ? nil : try PipeEnds()
            let error = discardsOutput ? nil : try PipeEnds()
            if let input { try Files.setNonBlocking(input.write.raw) }
            let ends = [input?.read ?? null, output?.write ?? null, error?.write ?? null]
            childEnds = ends
            standard = .descriptors(input: ends[0].raw, output: ends[1].raw, error: ends[2].raw)
            stdinWrite = input?.write
            outputs =
                (output.map { [(.standardOutput, $0.read)] } ?? [])
                + (error.map { [(.standardError, $0.read)] } ?? [])
        } catch {
            throw StepFailure(error, step: "stdio")
        }
    }

    var isTerminal: Bool {
        if case .terminal = standard { true } else { false }
    }

    /// Gives the keeper's ends to the job; the child's are closed.
    consuming func give(to job: Job, faults: FaultPoints) throws(SystemError) {
        if let stdinWrite {
            job.input = try InputStage(nil, process: stdinWrite, isTerminal: false, faults: faults)
        }
        for (stream, pipe) in outputs {
            let stage = job.stagesOutput ? try OutputStage(nil, faults: faults) : nil
            job.outputs.append(OutputSource(stream, pipe: pipe, stage: stage))
        }
    }
}

private struct PipeEnds {
    let read: SharedDescriptor
    let write: SharedDescriptor

    init() throws(SystemError) {
        let pipe = try Pipe()
        read = SharedDescriptor(try pipe.readEnd.duplicate())
        write = SharedDescriptor(try pipe.writeEnd.duplicate())
    }
}

extension Job {
    /// Whether its output goes to clients of the stream socket.
    var stagesOutput: Bool { isExec && !record.detached }

    /// The terminal's output goes through a private pipe, whose content survives the keeper as a pipe's does.
    func takeTerminal(_ master: SharedDescriptor, faults: FaultPoints) throws(SystemError) {
        let pipe = try PipeEnds()
        try Files.setNonBlocking(master.raw)
        let stage = stagesOutput ? try OutputStage(nil, faults: faults) : nil
        terminal = master
        outputs.append(
            OutputSource(terminal: master, pipeRead: pipe.read, pipeWrite: pipe.write, stage: stage)
        )
        guard record.openStdin else { return }
        input = try InputStage(nil, process: master, isTerminal: true, faults: faults)
    }
}

extension SharedDescriptor {
    /// nil for nil.
    convenience init?(sharing descriptor: consuming Descriptor?) {
        guard let descriptor else { return nil }
        self.init(descriptor)
    }
}
