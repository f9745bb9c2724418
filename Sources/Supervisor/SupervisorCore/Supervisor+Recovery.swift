// SPDX-License-Identifier: Apache-2.0
internal import Cgroups
internal import Events
internal import Logging
internal import Messages
package import System

/// What an earlier supervisor left: containers go on, half-made ones are undone, half-deleted ones deleted.
extension Supervisor {
    /// Takes up everything in the containers' directory. To be called once, before anything is asked.
    /// - Parameter stored: Named descriptors that came back from the descriptor store.
    package func recover(stored: [(name: String, descriptor: SharedDescriptor)]) async throws {
        let numbers = await surroundings.journal.lastNumbers
        var copies: [ContainerID: Custody] = [:]
        for (name, descriptor) in stored {
            guard let (id, key) = CustodyName.parse(name) else { continue }
            _ = copies[id, default: Custody()].hold(descriptor, key)
        }
        for name in try Files.names(in: containersPath) {
            if name.hasPrefix(ContainerDirectory.removingPrefix) {
                await finishRemoval(String(name.dropFirst(ContainerDirectory.removingPrefix.count)))
            } else if let id = ContainerID(name) {
                await recover(directory(of: id), copies[id] ?? Custody(), journaled: numbers[id.text] ?? 0)
                if containers[id] != nil || unread[id] != nil { copies[id] = nil }
            }
        }
        // Of those that are no more.
        for (id, custody) in copies { surroundings.forget(Array(custody.held.keys), of: id) }
        surroundings.works.start(on: slowThread) { await self.endStrayKeepers() }
        surroundings.faults.reach("supervisor.adopt.scanned")
    }

    /// Waits until each container's keeper has been heard, at most until the deadline.
    package func settle(untilBootNanos deadline: Int64) async {
        for container in containers.values { await container.waitForKeeper(untilBootNanos: deadline) }
    }

    private func recover(_ directory: ContainerDirectory, _ custody: Custody, journaled: UInt64) async {
        do {
            if try directory.isUnwritten(bootID: surroundings.bootID) { return await undo(directory) }
            let (request, isTerminal) = try directory.request()
            let (record, isDurable) = try directory.lifecycleRecord(bootID: surroundings.bootID)
            guard var lifecycle = Lifecycle(record, request: request) else {
                throw SupervisorError.damagedState(
                    path: directory.lifecycleFile,
                    detail: "of a later release?"
                )
            }
            if lifecycle.isDeleteTold {
                try directory.setAside()
                return await finishRemoval(directory.id.text)
            }
            try Files.makeDirectories(directory.runPath, mode: 0o700)
            lifecycle.reconcile(keeperSequence: keeperSequence(directory, record), journaled: journaled)
            let container = await takeUp(request, isTerminal, directory, lifecycle, record, custody)
            if !isDurable { await container.syncLater() }
            // On a full disk it goes on beside everything else: deleting must work.
            if !lifecycle.pending.isEmpty, await !container.flushOnce() { await container.publish() }
            follow(container, first: nil)
        } catch {
            // Kept as it is, for people to look at; its keeper goes on.
            unread[directory.id] =
                error as? SupervisorError ?? .damagedState(path: directory.path, detail: "\(error)")
            surroundings.logger.error("recover", metadata: ["id": "\(directory.id)", "error": "\(error)"])
        }
    }

    /// How far the keeper's events go: of an earlier boot nobody will tell of more.
    private func keeperSequence(_ directory: ContainerDirectory, _ record: SupervisorV1.LifecycleRecord)
        -> UInt64
    {
        isOfThisBoot(record) ? .max : directory.events(after: 0).last?.sequence ?? 0
    }

    private func isOfThisBoot(_ record: SupervisorV1.LifecycleRecord) -> Bool {
        record.bootId == surroundings.bootID
    }

    private func takeUp(
        _ request: ContainerRequest,
        _ isTerminal: Bool?,
        _ directory: ContainerDirectory,
        _ lifecycle: Lifecycle,
        _ record: SupervisorV1.LifecycleRecord,
        _ custody: Custody
    ) async -> Container {
        let isOfEarlierBoot = !isOfThisBoot(record)
        // Reading one takes longer than everything else together.
        let configuration =
            isTerminal == nil || isOfEarlierBoot
            ? try? RuntimeConfiguration(
                request.specification,
                cgroupPath: surroundings.cgroupPath(of: request),
                rootPath: directory.path + "/rootfs",
                resources: lifecycle.resources
            ) : nil
        let container = Container(
            request: request,
            directory: directory,
            isTerminal: isTerminal ?? configuration?.isTerminal ?? false,
            lifecycle: lifecycle,
            revision: record.revision,
            custody: custody,
            isOfEarlierBoot: isOfEarlierBoot,
            thread: thread(for: directory.id),
            surroundings: surroundings
        )
        if isOfEarlierBoot, let configuration {
            await container.renewBeforeSpawning { try self.renew(directory, request, configuration) }
        }
        return container
    }

    /// What the keeper reads was never synced: the machine's end may have left anything of it.
    private nonisolated func renew(
        _ directory: ContainerDirectory,
        _ request: ContainerRequest,
        _ configuration: RuntimeConfiguration
    ) throws {
        let program = try seccompProgram(of: configuration)
        try write(configuration, to: directory)
        try writeRecord(of: request, seccompProgram: program, to: directory)
    }

    /// A creation that was not completed: nothing of it was told to anybody.
    private func undo(_ directory: ContainerDirectory) async {
        surroundings.logger.notice("undo create", metadata: ["id": "\(directory.id)"])
        do {
            // One that has its name by now is found; one that gets it later finds no directory.
            try directory.setAside()
            await end(KeeperProgram.running(below: containersPath)[directory.path] ?? [], of: directory.path)
            try Files.removeTree(directory.runPath)
            let group = try Cgroup(
                "\(surroundings.cgroupParent)/\(directory.id.text)",
                in: surroundings.cgroups
            )
            if group.exists { try group.remove() }
            try Files.removeTree(directory.asidePath)
        } catch {
            surroundings.logger.error(
                "undo create",
                metadata: ["id": "\(directory.id)", "error": "\(error)"]
            )
        }
    }

    /// A directory that was set aside: tells the journal, if it was not told, and deletes the rest.
    private func finishRemoval(_ name: String) async {
        guard let id = ContainerID(name) else { return }
        let directory = directory(of: id)
        do {
            if let record = try? directory.lifecycleRecord(
                bootID: surroundings.bootID,
                in: directory.asidePath
            ).record,
                record.deleting
            {
                try await surroundings.journal.append(record.pending.compactMap(Event.init))
            }
            try Files.removeTree(directory.runPath)
            try Files.removeTree(directory.asidePath)
            await surroundings.journal.forget(id)
        } catch {
            surroundings.logger.error("finish removal", metadata: ["id": "\(id)", "error": "\(error)"])
        }
    }

    /// Keepers whose container is gone. One that gets its container, and its name, only now finds no directory, and ends.
    private nonisolated func endStrayKeepers() async {
        for (path, pids) in KeeperProgram.running(below: containersPath) where !Files.exists(path) {
            await end(pids, of: path)
        }
    }

    /// A number that is another process's by now is left alone.
    private nonisolated func end(_ pids: [Int32], of path: String) async {
        var ended: [SharedDescriptor] = []
        for pid in pids {
            guard let process = try? ProcessHandle.open(pid),
                KeeperProgram.containerDirectory(ofKeeper: pid) == path, !Files.exists(path)
            else { continue }
            let shared = SharedDescriptor(process)
            try? ProcessHandle.signal(shared.raw, .kill)
            ended.append(shared)
        }
        // Rightly without an end: no container of the name is to be made while it is there.
        for process in ended { try? await surroundings.poller.readable(process) }
    }
}

extension Container {
    /// Waits until a keeper has been greeted, at most until the deadline.
    func waitForKeeper(untilBootNanos deadline: Int64) async {
        _ = try? await wait(untilBootNanos: deadline) { container in
            if case .ready = container.keeper { return true }
            return container.isReleased
        }
    }
}
