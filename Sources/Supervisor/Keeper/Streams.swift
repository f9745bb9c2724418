// SPDX-License-Identifier: Apache-2.0
internal import ContainerRuntime
internal import Logs
internal import System

/// A new process's standard streams: the ends it gets, which are closed here once it has them, and the keeper's ends.
struct Streams: ~Copyable {
    private let childEnds: [SharedDescriptor]
    let standard: StandardStreams
    private let stdinWrite: SharedDescriptor?
    private let outputs: [OutputSource]

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
                (output.map { [OutputSource(.standardOutput, pipe: $0.read)] } ?? [])
                + (error.map { [OutputSource(.standardError, pipe: $0.read)] } ?? [])
        } catch {
            throw StepFailure(error, step: "stdio")
        }
    }

    var isTerminal: Bool {
        if case .terminal = standard { true } else { false }
    }

    /// Gives the keeper's ends to the job; the child's are closed.
    consuming func give(to job: Job) throws(SystemError) {
        if let stdinWrite { job.input = StdinPipe(stdinWrite, isTerminal: false) }
        job.outputs += outputs
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
    /// The terminal's output goes through a private pipe, whose content survives the keeper as a pipe's does.
    func takeTerminal(_ master: SharedDescriptor) throws(SystemError) {
        let pipe = try PipeEnds()
        try Files.setNonBlocking(master.raw)
        holdTerminal(master, pipeRead: pipe.read, pipeWrite: pipe.write)
    }

    func holdTerminal(_ master: SharedDescriptor, pipeRead: SharedDescriptor, pipeWrite: SharedDescriptor) {
        terminal = master
        input = StdinPipe(master, isTerminal: true)
        outputs.append(OutputSource(terminal: master, pipeRead: pipeRead, pipeWrite: pipeWrite))
    }
}

extension SharedDescriptor {
    /// nil for nil.
    convenience init?(sharing descriptor: consuming Descriptor?) {
        guard let descriptor else { return nil }
        self.init(descriptor)
    }
}
