// SPDX-License-Identifier: Apache-2.0
@testable import EngineCore
import Events
import Logging
import Suite
import Synchronization
import System

/// A supervisor in memory, with a journal; each call can be made to fail once.
final class FakeSupervisor: ContainerSupervisor {
    struct State {
        var containers: [ContainerID: SupervisedContainer] = [:]
        var orders: [ContainerID: ContainerOrder] = [:]
        var journal: [JournalEvent] = []
        var journalID = "j1"
        var acknowledged: UInt64 = 0
        var failures: [String: PeerError] = [:]
        var execs: [ContainerID: SupervisedExec] = [:]
        var calls: [String] = []
        /// What the journal no longer has.
        var dropped: UInt64 = 0
        var updates: [(resources: [UInt8], restart: ContainerSettings.RestartPolicy?)] = []
        var cpuNanos: UInt64 = 0
        /// What else happens while it is asked for one.
        var atGet: (@Sendable () async -> Void)?
        /// What the disk has, as it was made or was asked for.
        var kept: Set<ContainerID> = []
        /// Answers creations as for a container that is being removed.
        var refusesCreations = false
        /// The exit code of starts whose program is not executed; 0: it is.
        var startsToFail: UInt32 = 0
    }

    let state = Mutex(State())
    let outputDirectory: String
    let streamSocket: String

    init(outputDirectory: String = "/nowhere", streamSocket: String = "/nowhere") {
        self.outputDirectory = outputDirectory
        self.streamSocket = streamSocket
    }

    static func error(_ kind: PeerError.Kind) -> PeerError {
        PeerError(daemon: "supervisor", kind: kind, message: "as the test wants")
    }

    func fail(_ call: String, _ kind: PeerError.Kind) {
        state.withLock { $0.failures[call] = FakeSupervisor.error(kind) }
    }

    /// Adds an event to the journal.
    func tell(
        _ action: JournalEvent.Action,
        _ id: ContainerID,
        _ change: (inout JournalEvent) -> Void = { _ in }
    ) {
        state.withLock { state in
            let position = JournalPosition(
                journal: state.journalID,
                sequence: UInt64(state.journal.count + 1)
            )
            var event = JournalEvent(
                position: position,
                wallUnixNanos: Clock.wallNanos,
                container: id,
                action: action
            )
            change(&event)
            state.journal.append(event)
        }
    }

    func update(_ id: ContainerID, _ change: (inout SupervisedContainer) -> Void) {
        state.withLock { state in
            if var container = state.containers[id] {
                change(&container)
                state.containers[id] = container
            }
        }
    }

    private func enter(_ call: String) throws(PeerError) {
        let failure = state.withLock { state in
            state.calls.append(call)
            return state.failures.removeValue(forKey: call)
        }
        if let failure { throw failure }
    }

    private func known(_ id: ContainerID) throws(PeerError) -> SupervisedContainer {
        guard let found = state.withLock({ $0.containers[id] }) else { throw FakeSupervisor.error(.notFound) }
        return found
    }

    func create(_ order: ContainerOrder) async throws(PeerError) -> SupervisedContainer {
        try enter("create")
        if state.withLock({ $0.refusesCreations }) {
            let detail = PeerError.Detail(
                reason: "is_being_removed",
                subject: order.id.text,
                path: "",
                errorNumber: 0,
                advice: ""
            )
            throw PeerError(daemon: "supervisor", kind: .failedPrecondition, message: "going", detail: detail)
        }
        var made = SupervisedContainer(id: order.id, phase: .created)
        made.outputDirectory = outputDirectory
        made.streamSocket = streamSocket
        let container = made
        state.withLock { state in
            state.containers[order.id] = container
            state.orders[order.id] = order
            if !order.isProvisional { state.kept.insert(order.id) }
        }
        tell(.create, order.id)
        return order.startKey.isEmpty ? container : try await start(order.id, key: order.startKey)
    }

    func keep(_ id: ContainerID) async throws(PeerError) {
        try enter("keep")
        _ = try known(id)
        state.withLock { state in _ = state.kept.insert(id) }
    }

    func start(_ id: ContainerID, key: String) async throws(PeerError) -> SupervisedContainer {
        try enter("start")
        _ = try known(id)
        let code = state.withLock { $0.startsToFail }
        if code != 0 {
            update(id) {
                $0.run += 1
                $0.exit = SupervisedExit(code: code, failure: "execve nope: ENOENT")
            }
            tell(.die, id)
            return try known(id)
        }
        update(id) {
            $0.phase = .running
            $0.run += 1
            $0.pid = 77
            $0.startedAtUnixNanos = Clock.wallNanos
        }
        tell(.start, id)
        return try known(id)
    }

    /// The container's program ends by itself.
    func end(_ id: ContainerID, code: UInt32) {
        let exit = SupervisedExit(code: code, atUnixNanos: Clock.wallNanos)
        let wantsRemoval = state.withLock { $0.orders[id]?.autoRemove ?? false }
        update(id) {
            $0.phase = .exited
            $0.exit = exit
            $0.removalWanted = wantsRemoval
        }
        tell(.die, id) { $0.exit = exit }
        if wantsRemoval { tell(.removalWanted, id) }
    }

    func stop(_ id: ContainerID, timeoutMillis: UInt32?, signal: Int32) async throws(PeerError)
        -> SupervisedContainer
    {
        try enter("stop")
        if try known(id).phase.isRunning { end(id, code: 143) }
        tell(.stop, id)
        return try known(id)
    }

    func kill(_ id: ContainerID, signal: Int32) async throws(PeerError) -> SupervisedContainer {
        try enter("kill")
        tell(.kill, id) { $0.signal = signal }
        end(id, code: 128 + UInt32(signal))
        return try known(id)
    }

    func pause(_ id: ContainerID) async throws(PeerError) -> SupervisedContainer {
        try enter("pause")
        update(id) { $0.phase = .paused }
        tell(.pause, id)
        return try known(id)
    }

    func unpause(_ id: ContainerID) async throws(PeerError) -> SupervisedContainer {
        try enter("unpause")
        update(id) { $0.phase = .running }
        tell(.unpause, id)
        return try known(id)
    }

    func update(
        _ id: ContainerID,
        resources: [UInt8],
        restart: ContainerSettings.RestartPolicy?
    ) async throws(PeerError) -> SupervisedContainer {
        try enter("update")
        state.withLock { $0.updates.append((resources, restart)) }
        return try known(id)
    }

    func usage(of ids: [ContainerID]) async throws(PeerError) -> [SupervisedUsage] {
        try enter("usage")
        return state.withLock { state in
            ids.filter { state.containers[$0]?.phase.isRunning == true }.map { id in
                state.cpuNanos += 250_000_000
                var usage = SupervisedUsage(id: id)
                usage.cpuNanos = state.cpuNanos
                usage.bootNanos = Clock.bootNanos
                return usage
            }
        }
    }

    func delete(_ id: ContainerID, force: Bool, isFinal: Bool) async throws(PeerError) {
        try enter("delete")
        let container = try known(id)
        if container.phase.isRunning {
            guard force else { throw FakeSupervisor.error(.failedPrecondition) }
            end(id, code: 137)
        }
        _ = state.withLock { $0.containers.removeValue(forKey: id) }
        tell(.delete, id)
    }

    func get(_ id: ContainerID) async throws(PeerError) -> SupervisedContainer {
        try enter("get")
        let body = state.withLock { state in state.atGet.take() }
        await body?()
        return try known(id)
    }

    func list() async throws(PeerError) -> SupervisedList {
        try enter("list")
        return state.withLock { state in
            let position = JournalPosition(journal: state.journalID, sequence: UInt64(state.journal.count))
            return SupervisedList(containers: Array(state.containers.values), position: position)
        }
    }

    func wait(_ id: ContainerID, until condition: WaitCondition) async throws(PeerError) -> SupervisedExit {
        while true {
            let (container, ended) = state.withLock { state in
                (state.containers[id], state.journal.last { $0.container == id && $0.action == .die }?.exit)
            }
            if container == nil { return ended ?? SupervisedExit(code: 0) }
            if condition == .notRunning, container?.phase.isRunning == false {
                return ended ?? SupervisedExit(code: 0)
            }
            do { try await Task.sleep(for: .milliseconds(2)) } catch {
                throw FakeSupervisor.error(.cancelled)
            }
        }
    }

    func exec(_ order: ExecOrder) async throws(PeerError) -> SupervisedExec {
        try enter("exec")
        let exec = SupervisedExec(isRunning: true, pid: 78, exit: nil, streamSocket: streamSocket)
        state.withLock { $0.execs[order.exec] = exec }
        tell(.execStart, order.container) { $0.exec = order.exec.text }
        return exec
    }

    func endExecs(code: UInt32) {
        state.withLock { state in
            for id in state.execs.keys {
                state.execs[id]?.isRunning = false
                state.execs[id]?.exit = SupervisedExit(code: code)
            }
        }
    }

    func getExec(_ exec: ContainerID, of container: ContainerID) async throws(PeerError) -> SupervisedExec {
        guard let found = state.withLock({ $0.execs[exec] }) else { throw FakeSupervisor.error(.notFound) }
        return found
    }

    func waitExec(_ exec: ContainerID, of container: ContainerID) async throws(PeerError) -> SupervisedExec {
        while true {
            let found = try await getExec(exec, of: container)
            if !found.isRunning { return found }
            do { try await Task.sleep(for: .milliseconds(2)) } catch {
                throw FakeSupervisor.error(.cancelled)
            }
        }
    }

    /// Its positions, so that a test sees where a connection goes on.
    func streamRequest(_ order: StreamOrder) -> [UInt8] {
        Array("\(order.positions.output)/\(order.positions.error)/\(order.attachesInput)".utf8)
    }

    func resizeTerminal(
        of container: ContainerID,
        exec: ContainerID?,
        to size: ConsoleSize
    ) async throws(PeerError) {
        try enter("resize")
        state.withLock { $0.calls.append("resize \(size.columns)x\(size.rows)") }
    }

    func followJournal(
        after position: JournalPosition,
        _ receive: @Sendable (JournalEvent) async throws -> Void
    ) async throws {
        var next = position.sequence
        let (journal, dropped) = state.withLock { ($0.journalID, $0.dropped) }
        guard position.journal.isEmpty || position.journal == journal, next >= dropped else {
            throw FakeSupervisor.error(.outOfRange)
        }
        while true {
            try enter("journal")
            let events = state.withLock { $0.journal.dropFirst(Int(next)) }
            for event in events {
                try await receive(event)
                next = event.position.sequence
            }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    func acknowledge(_ position: JournalPosition) async throws(PeerError) {
        state.withLock { $0.acknowledged = position.sequence }
    }

    func version() async throws(PeerError) -> SupervisorVersion {
        SupervisorVersion(release: "test", cgroupLayout: "hybrid")
    }
}

/// An image store in memory with one image, "busybox".
final class FakeImages: ImageSource {
    struct State {
        var image = StoredImage(id: "sha256:" + String(repeating: "1", count: 64))
        var snapshots: Set<String> = []
        var provisional: Set<String> = []
        var transient: Set<String> = []

        func endurance(of key: String) -> SnapshotEndurance {
            provisional.contains(key) ? .provisional : transient.contains(key) ? .transient : .lasting
        }
        var failures: [String: PeerError.Kind] = [:]
        var journal = "i1"
        var events: [StoredImageEvent] = []
    }

    let state = Mutex(State())

    /// As the store does: each with the next number.
    func tell(_ action: String) {
        state.withLock { state in
            state.events.append(
                StoredImageEvent(
                    position: JournalPosition(
                        journal: state.journal,
                        sequence: UInt64(state.events.count + 1)
                    ),
                    action: action,
                    image: state.image.id,
                    name: "busybox:latest",
                    wallUnixNanos: Clock.wallNanos
                )
            )
        }
    }

    func followEvents(
        after position: JournalPosition,
        _ receive: @Sendable (StoredImageEvent) async throws -> Void
    ) async throws {
        var next = position.sequence
        let journal = state.withLock { $0.journal }
        guard position.journal.isEmpty || position.journal == journal else {
            throw PeerError(daemon: "image store", kind: .outOfRange, message: "another journal")
        }
        while true {
            try enter("events")
            for event in state.withLock({ $0.events.dropFirst(Int(next)) }) {
                try await receive(event)
                next = event.position.sequence
            }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    func eventPosition() async throws(PeerError) -> JournalPosition {
        state.withLock { JournalPosition(journal: $0.journal, sequence: UInt64($0.events.count)) }
    }

    init() {
        state.withLock { state in
            state.image.references = ["busybox:latest"]
            state.image.os = "linux"
            state.image.architecture = "amd64"
            state.image.configuration = Array(#"{"config":{"Cmd":["sh"],"Labels":{"of":"image"}}}"#.utf8)
        }
    }

    func fail(_ call: String, _ kind: PeerError.Kind) { state.withLock { $0.failures[call] = kind } }

    private func enter(_ call: String) throws(PeerError) {
        guard let kind = state.withLock({ $0.failures.removeValue(forKey: call) }) else { return }
        throw PeerError(daemon: "image store", kind: kind, message: "as the test wants")
    }

    func image(_ reference: String) async throws(PeerError) -> StoredImage {
        try enter("image")
        let image = state.withLock { $0.image }
        guard reference == "busybox" || reference == image.id || image.references.contains(reference) else {
            throw PeerError(daemon: "image store", kind: .notFound, message: "none")
        }
        return image
    }

    func images(matching pattern: String) async throws(PeerError) -> [StoredImage] {
        [state.withLock { $0.image }]
    }

    func remove(_ reference: String, force: Bool) async throws(PeerError) -> ImageRemoval {
        ImageRemoval(untagged: ["busybox:latest"], deleted: [state.withLock { $0.image.id }])
    }

    func tag(_ source: String, as target: String) async throws(PeerError) {
        try enter("tag")
        state.withLock { $0.image.references.append(target) }
    }

    func prune(_ id: String, untaggedOnly: Bool) async throws(PeerError) -> ImagePruning {
        try enter("prune")
        let names = state.withLock { $0.image.references }
        guard !untaggedOnly || names.isEmpty else {
            return ImagePruning(removal: ImageRemoval(untagged: [], deleted: []), reclaimedBytes: 0)
        }
        return ImagePruning(removal: ImageRemoval(untagged: names, deleted: [id]), reclaimedBytes: 7)
    }

    func written(by id: ContainerID) async throws(PeerError) -> ImageUsage.Written? {
        try await usage(containers: true).containers[id.text]
    }

    func usage(containers: Bool) async throws(PeerError) -> ImageUsage {
        var usage = ImageUsage()
        for key in state.withLock({ $0.snapshots }) where containers {
            usage.containers[key] = ImageUsage.Written(bytes: 3, layersBytes: 4)
        }
        return usage
    }

    func prepareSnapshot(
        _ key: ContainerID,
        of image: String,
        called reference: String,
        _ endurance: SnapshotEndurance
    ) async throws(PeerError) -> PreparedSnapshot {
        guard reference.isEmpty || image == state.withLock({ $0.image.id }) else {
            let detail = PeerError.Detail(
                reason: "image_moved",
                subject: reference,
                path: "",
                errorNumber: 0,
                advice: ""
            )
            throw PeerError(
                daemon: "image store",
                kind: .failedPrecondition,
                message: "moved",
                detail: detail
            )
        }
        try enter("prepare")
        state.withLock { state in
            state.snapshots.insert(key.text)
            state.provisional.remove(key.text)
            switch endurance {
            case .provisional: state.provisional.insert(key.text)
            case .transient: state.transient.insert(key.text)
            case .lasting: break
            }
        }
        return try await snapshot(key)
    }

    func keepSnapshot(_ key: ContainerID, of image: String) async throws(PeerError) {
        try enter("keep")
        _ = try await snapshot(key)
        state.withLock { state in _ = state.provisional.remove(key.text) }
    }

    func removeSnapshot(_ key: ContainerID) async throws(PeerError) {
        try enter("remove")
        state.withLock { state in
            state.snapshots.remove(key.text)
            state.provisional.remove(key.text)
        }
    }

    func snapshots() async throws(PeerError) -> [ListedSnapshot] {
        state.withLock { state in
            state.snapshots.map { ListedSnapshot(key: $0, state.endurance(of: $0)) }
        }
    }

    func snapshot(_ key: ContainerID) async throws(PeerError) -> PreparedSnapshot {
        guard state.withLock({ $0.snapshots.contains(key.text) }) else {
            throw PeerError(daemon: "image store", kind: .notFound, message: "no such snapshot")
        }
        return PreparedSnapshot(
            mounts: [RootMount(type: "overlay", source: "overlay", target: "", options: [])],
            upperDirectory: "/u"
        )
    }

    func version() async throws(PeerError) -> ImageStoreVersion {
        ImageStoreVersion(release: "test", images: 1, storageDriver: "overlay2")
    }
}

/// No files.
extension FakeSupervisor {
    func pathStatus(of id: ContainerID, _ path: String) async throws(PeerError) -> PathStatus {
        throw FakeSupervisor.error(.unimplemented)
    }

    func readArchive(
        of id: ContainerID,
        _ path: String,
        first: (PathStatus) async throws -> Void,
        receive: ([UInt8]) async throws -> Void
    ) async throws {
        throw FakeSupervisor.error(.unimplemented)
    }

    func writeArchive(_ order: ArchiveOrder, next: @Sendable () async throws -> [UInt8]?) async throws {
        throw FakeSupervisor.error(.unimplemented)
    }
}
