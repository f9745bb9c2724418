// SPDX-License-Identifier: Apache-2.0
internal import ContainerRuntime
internal import FileTrees
internal import Messages
internal import RuntimeSpec
internal import System
internal import Tar

/// Looks at, packs or unpacks files of one container, and reports. See the module's overview for its descriptors.
package struct Copier {
    private static let (input, output): (Int32, Int32) = (0, 1)
    private static let (reports, process, gate): (Int32, Int32, Int32) = (3, 5, 4)

    private let task: CopyTask
    private let path: CopyPath

    /// Does it all. To be called once, by a process with one thread.
    /// - Returns: The process's exit code.
    package static func run(_ task: CopyTask) -> Int32 {
        let copier = Copier(task: task, path: CopyPath(task.path))
        do {
            try copier.prepare()
            let count = try copier.work()
            try copier.report(.done(KeeperV1.CopyDone(entries: UInt64(count))))
            return 0
        } catch {
            let problem =
                switch error {
                case let error as CopyProblem: error
                case let error as ArchiveError: CopyProblem(error, at: task.path)
                case let error as SystemError: CopyProblem(error, at: task.path)
                case let error as StepFailure: CopyProblem(error)
                default: CopyProblem(.system, task.path, "\(error)")
                }
            // Nobody may be listening any more.
            try? copier.report(.failure(problem.failure))
            return 1
        }
    }

    private func prepare() throws(SystemError) {
        try Children.endWithParent()
        try waitAtGate()
        try Threads.setName("petrel-archive")
        try? Scheduling.useUsualTurns()
        // A container that shares the host's process namespace sees this process, and nothing of it.
        try Credentials.hideFromTracing()
        // Files get the modes that the archive says.
        Threads.setFileCreationMask(0)
        for signal in [Signal.pipe, .hangUp, .interrupt, .terminate] { signal.disregard() }
    }

    /// The supervisor reaps whatever has ended: nothing may end before it holds this process by descriptor.
    private func waitAtGate() throws(SystemError) {
        guard SystemEnvironment.isOpen(Self.gate) else { return }
        let gate = Descriptor(adopting: Self.gate)
        let word = try Files.readSome(gate.raw, limit: 1)
        guard !word.isEmpty else { throw SystemError("read", path: "gate", code: ErrorNumber.brokenPipe) }
    }

    private func work() throws -> Int {
        // Before the host is out of sight.
        let spec = try specification()
        if SystemEnvironment.isOpen(Self.process) {
            let process = Descriptor(adopting: Self.process)
            try ContainerView.enter(process.raw)
        } else {
            try ContainerView.mount(spec, rootfs: try rootMounts())
        }
        let root = try Files.open("/", [.path, .directory])
        let tree = ContainerTree(root: root.raw)
        switch task.operation {
        case .status:
            try report(.status(try tree.status(of: path)))
            return 1
        case .read: return try read(tree)
        case .write: return try write(tree, spec)
        }
    }

    private func specification() throws -> ContainerSpec {
        let file = task.directory + "/config.json"
        do {
            return try ContainerSpec(parsing: try Files.contents(of: file, limit: 4 << 20))
        } catch {
            throw CopyProblem(.noRoot, file, "\(error)")
        }
    }

    private func rootMounts() throws -> [MountSpec] {
        let file = task.directory + "/container.pb"
        do {
            let record = try KeeperV1.ContainerRecord(serialized: try Files.contents(of: file))
            return record.rootfs.map {
                MountSpec(destination: $0.target, type: $0.type, source: $0.source, options: $0.options)
            }
        } catch {
            throw CopyProblem(.noRoot, file, "\(error)")
        }
    }

    // MARK: Directions

    private func read(_ tree: ContainerTree) throws -> Int {
        let status = try tree.status(of: path)
        guard status.kind != .socket else {
            throw CopyProblem(.system, task.path, "is a socket, which no archive can hold")
        }
        try report(.status(status))
        let sink = FileSink(Self.output)
        let writer = TarWriter(sink)
        var rules = PackRules()
        rules.leavesOutKernelViews = true
        if path.components.isEmpty { rules.emptyMounts = [Array("dev".utf8)] }
        let packer = TreePacker(writer, rules: rules)
        let base = Array(path.base.utf8)
        if path.assertsDirectory || path.components.isEmpty {
            try packer.pack(directory: try tree.open(path.text, [.readOnly, .directory]), as: base)
        } else {
            let parent = try tree.open(path.parent.text, [.path, .directory])
            try packer.pack(base.map { CChar(bitPattern: $0) } + [0], in: parent.raw, as: base)
        }
        try writer.finish()
        try sink.flush()
        return writer.entryCount
    }

    private func write(_ tree: ContainerTree, _ spec: ContainerSpec) throws -> Int {
        let directory = try tree.open(path.text, [.path, .directory])
        guard try !FileSystems.isReadOnly(directory.raw) else {
            throw CopyProblem(.readOnly, task.path, "", errno: 30)
        }
        var rules = UnpackRules()
        rules.keepsKinds = task.keepsKinds
        if task.isForUser {
            let (user, group) = try ContainerView.user(of: spec, beneath: tree.root)
            rules.ownership = .given(user: user, group: group)
        }
        try report(.status(try tree.status(of: CopyPath(path.components, assertsDirectory: true))))
        let prefix = Array(path.components.joined(separator: "/").utf8)
        let unpacker = TreeUnpacker(root: tree.root, prefix: prefix, rules: rules)
        let reader = TarReader(FileSource(Descriptor(adopting: Self.input)))
        var count = 0
        while let entry = try reader.next() {
            try unpacker.unpack(entry, from: reader)
            count += 1
        }
        try unpacker.finish()
        return count
    }

    private func report(_ body: KeeperV1.CopyReport.Body) throws(SystemError) {
        let bytes = KeeperV1.CopyReport(body: body).serialized()
        let length = (0..<4).map { UInt8(truncatingIfNeeded: bytes.count >> (8 * $0)) }
        try Files.writeAll(Self.reports, length + bytes)
    }
}
