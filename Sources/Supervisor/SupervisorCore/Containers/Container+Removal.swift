// SPDX-License-Identifier: Apache-2.0
internal import Cgroups
internal import Events
internal import Logging
internal import Messages
internal import System

/// The end of a container. Every step may find that it was done already.
extension Container {
    /// Begins the removal unless it is under way; it goes on whatever becomes of the call.
    func startRemoval() {
        guard removal == .idle, !isRemoved else { return }
        removal = .underWay
        removalFailure = nil
        surroundings.works.start(on: thread) {
            await self.remove()
        }
    }

    private func remove() async {
        defer {
            removal = .idle
            if !isRemoved { syncLater() }
            changes.announce()
        }
        do {
            guard try await hasEnded() else {
                removalFailure = .stopTimedOut(id)
                return
            }
            try await endCopies(isPatient: false)
            if !lifecycle.isDeleteTold {
                await releaseKeeper()
                surroundings.faults.reach("supervisor.delete.released")
                try removeTraces()
                surroundings.faults.reach("supervisor.delete.traces-removed")
                try changeWithoutPublishing { $0.finishDelete(now: surroundings.now) }
                surroundings.faults.reach("supervisor.delete.told")
            }
            try directory.setAside()
            surroundings.faults.reach("supervisor.delete.set-aside")
            // Its output goes first: on a full disk, that makes room for the event.
            try Files.removeTree(directory.asidePath + "/spool")
            await flush()
            surroundings.faults.reach("supervisor.delete.journaled")
            surroundings.works.start(on: thread) { await self.removeWhatIsAside() }
        } catch {
            surroundings.logger.error("remove", metadata: ["id": "\(id)", "error": "\(error)"])
            removalFailure = error as? SupervisorError ?? (error as? SystemError).map(SupervisorError.system)
            // The next delete, or the next start, goes on from here.
            guard !Files.exists(directory.path) else { return }
        }
        isRemoved = true
    }

    /// Nobody waits for this; what stays goes at the next start.
    private func removeWhatIsAside() {
        do throws(SystemError) {
            try Files.removeTree(directory.asidePath)
            surroundings.faults.reach("supervisor.delete.removed")
        } catch {
            surroundings.logger.error("remove", metadata: ["id": "\(id)", "error": "\(error)"])
        }
    }

    /// Waits for the end of what was killed. A keeper that does not tell of it is replaced by one that does; where there is
    /// none, and no way to one, nobody ever would.
    private func hasEnded() async throws -> Bool {
        for isLast in [false, true] {
            let due = Clock.bootNanos + Self.graceNanos
            if try await wait(untilBootNanos: due, { !$0.lifecycle.isActive }) { return true }
            switch keeper {
            case .ready(let link):
                if !isLast { try? ProcessHandle.signal(link.process.raw, .kill) }
            case .none:
                try group().killAll()
                try change { lifecycle throws(SupervisorError) in
                    lifecycle.abandonRun(now: surroundings.now)
                }
                return true
            }
        }
        return false
    }

    /// Lets the keeper end. One that cannot be asked is killed; what it would have removed is removed here.
    ///
    /// Who has answered touches nothing any more, and is not waited for.
    private func releaseKeeper() async {
        isReleased = true
        changes.announce()
        guard case .ready(let link) = keeper else {
            if keeperPid != 0, let process = try? ProcessHandle.open(keeperPid) {
                try? ProcessHandle.signal(process.raw, .kill)
            }
            return
        }
        let answer = try? await link.connection.request(.release(KeeperV1.Release()), within: .seconds(5))
        guard case .reply(let reply) = answer?.body, reply.failure == nil else {
            return await seeEnd(of: link)
        }
        surroundings.works.start(on: thread) { await self.seeEnd(of: link) }
    }

    private func seeEnd(of link: KeeperLink) async {
        do {
            try await withThrowingTaskGroup(of: Bool.self) { group in
                group.addTask {
                    try await self.surroundings.poller.readable(link.process)
                    return true
                }
                group.addTask {
                    try await Task.sleep(for: .seconds(5))
                    return false
                }
                let hasEnded = try await group.next() ?? false
                group.cancelAll()
                if !hasEnded { try? ProcessHandle.signal(link.process.raw, .kill) }
                while let result = await group.nextResult() { _ = result }
            }
        } catch {
            try? ProcessHandle.signal(link.process.raw, .kill)
        }
    }

    private func removeTraces() throws(SystemError) {
        surroundings.forget(custody.end(), of: id)
        try Files.removeTree(directory.runPath)
        let group = try group()
        if !group.removeIfEmpty() {
            try? group.killAll()
            try group.remove()
        }
    }

    private func group() throws(SystemError) -> Cgroup {
        try Cgroup(surroundings.cgroupPath(of: request), in: surroundings.cgroups)
    }
}
