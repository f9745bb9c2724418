// SPDX-License-Identifier: Apache-2.0
import Cgroups
import ContainerRuntime
import JSON
import RuntimeSpec
import Seccomp
import System

/// Runs one container as a keeper would, for the kernel tests, whose own process has many threads.
///
/// `runtime-probe SCENARIO REPORT`: both are JSON. The scenario: `spec`, `rootfs` (mounts), `cgroup` (path), and
/// optionally `exec` (a process to run inside), `holdsNetwork`, `closesGate`, `columns` and
/// `execColumns` (a terminal), `pipes` (output
/// through a pipe). Otherwise the container's standard streams are the probe's. The report: `failure` or `status` (a wait status), the same for `exec`, and
/// what was seen around.
@main
struct Probe {
    static func main() {
        // A child that failed early does not wait at its gate any more.
        Signal.pipe.ignore()
        do {
            let arguments = CommandLine.arguments
            let scenario = try JSON(parsing: Files.contents(of: arguments[1]))
            var report = JSON.Object()
            do {
                try run(scenario, &report)
            } catch let failure as StepFailure {
                report["failure"] = json(failure)
            }
            try Files.replace(arguments[2], with: JSON.object(report).serialized())
        } catch {
            try? Files.writeAll(2, Array("runtime-probe: \(error)\n".utf8))
            CurrentProcess.exit(1)
        }
    }

    private static func run(_ scenario: JSON, _ report: inout JSON.Object) throws {
        let spec = try ContainerSpec(scenario["spec"] ?? nil)
        let program = try spec.linux.seccomp.map { try SeccompProgram(compiling: $0).bytes } ?? []
        let plan = try InitPlan(spec: spec, rootfs: rootfs(scenario), seccompProgram: program)
        let cgroup = try Cgroup(scenario["cgroup"]?.string ?? "", in: CgroupLayout.detect())
        let descriptorsBefore = try Files.names(in: "/proc/self/fd").count
        try cgroup.create()
        defer { try? cgroup.remove() }
        try cgroup.apply(spec.linux.resources)
        var network: SharedDescriptor?
        if scenario["holdsNetwork"]?.bool == true {
            network = SharedDescriptor(try NetworkNamespace.create())
        }
        var pipe = scenario["pipes"]?.bool == true ? try ends() : nil
        var child = try ContainerProcess.spawnInit(
            plan,
            streams: streams(scenario, pipe?.write.raw),
            networkNamespace: network?.raw,
            cgroup: cgroup
        )
        let pid = try awaitBirth(&child)
        guard let handle = child.process.take() else { return }
        let process = SharedDescriptor(handle)
        if let terminal = child.terminal.take() { try echo(terminal, &child, &report) }
        try finish(&child, scenario["closesGate"]?.bool != true, &report)
        if let read = pipe?.read {
            pipe = nil
            report["output"] = .string(
                String(decoding: try Files.contents(of: read.raw, limit: 1 << 20), as: UTF8.self)
            )
        }
        if report["failure"] == nil, let exec = scenario["exec"] {
            report["exec"] = .object(try runInside(process, exec, scenario, spec, program, cgroup))
            try cgroup.killAll()
        }
        report["status"] = .integer(Int64(try Children.reap(pid)))
        report["oomKills"] = cgroup.oomKillCount().map { .integer(Int64($0)) }
        network = nil
        report["leakedDescriptors"] = .integer(
            Int64(try Files.names(in: "/proc/self/fd").count - descriptorsBefore - 1)
        )
        report["threads"] = .integer(Int64(try Files.names(in: "/proc/self/task").count))
    }

    private static func rootfs(_ scenario: JSON) -> [MountSpec] {
        (scenario["rootfs"]?.array ?? []).map { mount in
            MountSpec(
                destination: mount["destination"]?.string ?? "",
                type: mount["type"]?.string ?? "",
                source: mount["source"]?.string ?? "",
                options: mount["options"]?.array?.compactMap(\.string) ?? []
            )
        }
    }

    /// Runs another process in the container, and reports its end.
    private static func runInside(
        _ container: SharedDescriptor,
        _ exec: JSON,
        _ scenario: JSON,
        _ spec: ContainerSpec,
        _ program: [UInt8],
        _ cgroup: Cgroup
    ) throws -> JSON.Object {
        var inner = JSON.Object()
        let plan = try ExecPlan(process: ProcessSpec(exec), spec: spec, seccompProgram: program)
        do {
            var child = try ContainerProcess.spawnExec(
                plan,
                inside: container.raw,
                streams: scenario["execColumns"]?.integer.map { .terminal(columns: UInt16($0), rows: 25) }
                    ?? .descriptors(input: 0, output: 1, error: 2),
                cgroup: cgroup
            )
            let pid = try awaitBirth(&child)
            if let terminal = child.terminal.take() { try echo(terminal, &child, &inner) }
            try finish(&child, true, &inner)
            inner["status"] = .integer(Int64(try Children.reap(pid)))
        } catch let failure as StepFailure {
            inner["failure"] = json(failure)
        }
        return inner
    }

    /// The process that runs the program, in the place of the one that prepared it, which is reaped. A failure of that
    /// one is thrown.
    private static func awaitBirth(_ child: inout SpawnedProcess) throws -> Int32 {
        guard let birth = child.birth, let helper = child.process.take() else { return child.pid }
        var entries = [Poll.Entry(helper.raw)]
        try Poll.wait(&entries, deadlineNanos: Clock.bootNanos + 20_000_000_000)
        try ProcessHandle.reap(helper.raw)
        guard let born = try birth.outcome() else {
            guard let status = child.status.take() else { return child.pid }
            let report = try StartReport(waitingIn: status.raw)
            if case .failed(let failure) = report { throw failure }
            throw StepFailure(step: "\(report)", code: 0)
        }
        child.terminal = try born.terminal?.duplicate()
        child.process = try born.process.duplicate()
        return birth.pid
    }

    private static func ends() throws -> (read: SharedDescriptor, write: SharedDescriptor) {
        let pipe = try Pipe()
        return (
            SharedDescriptor(try pipe.readEnd.duplicate()), SharedDescriptor(try pipe.writeEnd.duplicate())
        )
    }

    private static func streams(_ scenario: JSON, _ output: Int32?) -> StandardStreams {
        if let output { return .descriptors(input: 0, output: output, error: 2) }
        guard let columns = scenario["columns"]?.integer else {
            return .descriptors(input: 0, output: 1, error: 2)
        }
        return .terminal(columns: UInt16(columns), rows: 25)
    }

    /// Opens the gate, and reads the status pipe to its end.
    private static func finish(
        _ child: inout SpawnedProcess,
        _ opens: Bool,
        _ report: inout JSON.Object
    ) throws {
        if let gate = child.gate.take(), opens { try? Files.writeAll(gate.raw, [1]) }
        guard let status = child.status.take() else { return }
        let bytes = try Files.contents(of: status.raw, limit: StartReport.limit)
        switch StartReport(decoding: bytes) {
        case .executed: break
        case .failed(let failure): report["failure"] = json(failure)
        case let other: report["failure"] = json(StepFailure(step: "\(other)", code: 0))
        }
    }

    /// Everything that the terminal shows until its other side is closed.
    private static func echo(
        _ terminal: consuming Descriptor,
        _ child: inout SpawnedProcess,
        _ report: inout JSON.Object
    ) throws {
        try finish(&child, true, &report)
        var shown: [UInt8] = []
        while let bytes = try? Files.readSome(terminal.raw, limit: 4096), !bytes.isEmpty { shown += bytes }
        report["terminal"] = .string(String(decoding: shown, as: UTF8.self))
    }

    private static func json(_ failure: StepFailure) -> JSON {
        ["step": .string(failure.step), "path": .string(failure.path), "code": .integer(Int64(failure.code))]
    }
}
