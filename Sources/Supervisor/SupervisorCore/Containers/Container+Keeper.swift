// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import Logging
internal import Messages
internal import System

/// The container's keeper: one is there from create to delete, and is replaced when it dies.
extension Container {
    /// Keeps a keeper at the container until the container is deleted.
    /// - Parameter first: One that was started just now for a new container.
    package func maintain(first: KeeperLink?) async {
        var link = first
        var pause = KeeperPause()
        while !isReleased, !Task.isCancelled {
            var livedNanos: Int64 = 0
            do {
                let present: KeeperLink
                if let link { present = link } else { present = try await obtain() }
                let isFresh = link != nil
                link = nil
                let began = Clock.bootNanos
                keeperPid = present.pid
                await serve(present, isFresh: isFresh)
                keeper = .none
                keeperPid = 0
                changes.announce()
                livedNanos = Clock.bootNanos - began
            } catch {
                surroundings.logger.warning("keeper", metadata: ["id": "\(id)", "error": "\(error)"])
            }
            guard !isReleased else { return }
            let nanos = pause.next(afterLifeOf: livedNanos)
            if nanos > 0 { try? await Task.sleep(for: .nanoseconds(nanos)) }
        }
    }

    /// A keeper to talk to: the one that holds the directory's lock, or a new one that adopts the container.
    private func obtain() async throws -> KeeperLink {
        if let pid = surroundings.keepers.holder(of: directory) {
            let deadline = Clock.bootNanos + 3_000_000_000
            while Clock.bootNanos < deadline {
                do {
                    return try surroundings.keepers.connect(to: pid, of: directory)
                } catch {
                    guard error.code != ErrorNumber.noSuchProcess else { break }
                }
                try await Task.sleep(for: .milliseconds(20))
            }
            await end(pid)
        }
        surroundings.faults.reach("supervisor.adopt.keeper-missing")
        try renewIfDue()
        let link = try surroundings.keepers.spawn(for: directory, isAdopter: true)
        surroundings.faults.reach("supervisor.adopt.spawned")
        return link
    }

    /// Ends a keeper that does not answer, or is one too many. Its container does not notice.
    private func end(_ pid: Int32) async {
        guard let process = try? ProcessHandle.open(pid) else { return }
        let shared = SharedDescriptor(process)
        try? ProcessHandle.signal(shared.raw, .kill)
        try? await surroundings.poller.readable(shared)
    }

    /// Serves one keeper until it ends or its connection does.
    /// - Parameter isFresh: It was started for a new container, of which nobody has kept anything.
    private func serve(_ link: KeeperLink, isFresh: Bool) async {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                await link.connection.run { await self.receive($0, from: link) }
                // A keeper that was killed closes its connection a moment before it is gone.
                try? await Task.sleep(for: .milliseconds(200))
                return true
            }
            group.addTask {
                try? await self.surroundings.poller.readable(link.process)
                return true
            }
            group.addTask { await isFresh ? !self.greetFresh(link) : !self.greet(link) }
            while let isOver = await group.next() { if isOver { break } }
            group.cancelAll()
        }
    }

    /// The first exchange on a connection: who it is, custody, what happened meanwhile; then what is to be
    /// taken up.
    /// - Returns: false when it did not come to an end.
    private func greet(_ link: KeeperLink) async -> Bool {
        do {
            var hello = try await sayHello(link)
            if hello.awaitsAdoption {
                try await handOver(to: link)
                surroundings.faults.reach("supervisor.adopt.adopted")
                hello = try await sayHello(link)
            }
            // One that has run nothing has nothing to hold copies of.
            if hello.run != nil || !hello.execs.isEmpty || !custody.held.isEmpty {
                try await tidyCustody(link)
            }
            for record in hello.execs { note(record) }
            mergeFile()
            surroundings.faults.reach("supervisor.adopt.merged")
            try welcome(link, keeperRun: hello.run?.run ?? 0)
            return true
        } catch {
            return failedToGreet(link, error)
        }
    }

    /// The same with one that can have nothing to tell: what it is to do waits for it with the first word, while it takes up
    /// its place.
    private func greetFresh(_ link: KeeperLink) async -> Bool {
        do {
            let hello = try await link.connection.ask(.hello(KeeperV1.Hello(release: surroundings.release)))
            try welcome(link, keeperRun: 0)
            _ = try await link.connection.answer(to: hello, within: Self.answerLimit)
            return true
        } catch {
            return failedToGreet(link, error)
        }
    }

    /// Takes up with it what is to be done.
    private func welcome(_ link: KeeperLink, keeperRun: UInt64) throws(SupervisorError) {
        keeper = .ready(link)
        try change { lifecycle throws(SupervisorError) in
            lifecycle.resume(keeperRun: keeperRun, isNewBoot: isOfEarlierBoot, now: surroundings.now)
        }
        isOfEarlierBoot = false
        if lifecycle.isBeingDeleted { startRemoval() }
        takeUpUpdate()
        changes.announce()
    }

    private func failedToGreet(_ link: KeeperLink, _ error: any Error) -> Bool {
        surroundings.logger.warning("greeting", metadata: ["id": "\(id)", "error": "\(error)"])
        // One that hangs is replaced; its container does not notice.
        if case .timedOut? = error as? KeeperFailure {
            try? ProcessHandle.signal(link.process.raw, .kill)
        }
        return false
    }

    /// Gives a new keeper the second copies of everything.
    private func handOver(to link: KeeperLink) async throws {
        let parts = custody.forAdoption()
        for (index, part) in parts.enumerated() {
            let request = KeeperV1.Adopt(descriptors: part.map(\.name), more: index + 1 < parts.count)
            let answer = try await link.connection.request(
                .adopt(request),
                descriptors: part.map(\.descriptor),
                within: Self.answerLimit
            )
            guard case .reply(let reply)? = answer.body else { throw KeeperFailure.unexpectedAnswer }
            guard let failure = reply.failure else { continue }
            let text = "\(StartFailure(failure))"
            surroundings.logger.error("adopt", metadata: ["id": "\(id)", "error": "\(text)"])
        }
    }

    /// For what a keeper answers at once; the disk may make it wait, hardly for so long.
    static let answerLimit = Duration.seconds(30)

    private func takeUpUpdate() {
        do {
            try carryOutUpdate()
        } catch {
            surroundings.logger.warning("update", metadata: ["id": "\(id)", "error": "\(error)"])
        }
    }

    private func sayHello(_ link: KeeperLink) async throws -> KeeperV1.HelloReply {
        let answer = try await link.connection.request(
            .hello(KeeperV1.Hello(release: surroundings.release)),
            within: Self.answerLimit
        )
        guard case .helloReply(let hello)? = answer.body else { throw KeeperFailure.unexpectedAnswer }
        return hello
    }

    /// Asks for everything that is worth holding, and lets go of the rest.
    /// - Returns: Whether anything of a process that has ended is still needed.
    @discardableResult
    private func tidyCustody(_ link: KeeperLink) async throws -> Bool {
        guard named == nil else { return true }
        named = []
        defer { named = nil }
        let answer = try await link.connection.request(
            .custodyQuery(KeeperV1.CustodyQuery()),
            within: Self.answerLimit
        )
        guard case .reply? = answer.body else { throw KeeperFailure.unexpectedAnswer }
        let named = self.named ?? []
        release { !named.contains($0) }
        return named.contains(where: isOfEnded)
    }

    private func isOfEnded(_ key: Custody.Key) -> Bool {
        guard key.role != .networkNamespace else { return false }
        return switch key.holder {
        case .run(let run): run != lifecycle.run || !lifecycle.isActive
        case .exec(let exec): execs[exec]?.hasEnded ?? true
        }
    }

    // MARK: - What the keeper says

    private func receive(_ delivery: KeeperConnection.Delivery, from link: KeeperLink) async {
        switch delivery.packet.body {
        case .custody(let offer):
            await hold(offer, delivery.descriptors, from: link)
        case .event(let event):
            merge(event)
        case .stdinClosed(let closed):
            let holder = Custody.Holder(run: closed.run, exec: closed.execId)
            release { $0.holder == holder && [.stdinWrite, .stdinStage].contains($0.role) }
        default:
            break
        }
    }

    private func hold(
        _ offer: KeeperV1.Custody,
        _ descriptors: [SharedDescriptor],
        from link: KeeperLink
    ) async {
        let holder = Custody.Holder(run: offer.run, exec: offer.execId)
        guard offer.descriptors.count == descriptors.count else { return }
        for (name, descriptor) in zip(offer.descriptors, descriptors) {
            let key = Custody.Key(holder: holder, role: name.role)
            named?.insert(key)
            guard custody.hold(descriptor, key) else { continue }
            surroundings.store.store(descriptor.raw, name: CustodyName.text(id, key))
        }
        surroundings.faults.reach(
            offer.execId.isEmpty ? "supervisor.start.custody" : "supervisor.exec.custody"
        )
        try? await link.connection.tell(
            .custodyHeld(KeeperV1.CustodyHeld(run: offer.run, execId: offer.execId))
        )
    }

    /// Lets go of copies, here and in the descriptor store.
    func release(where condition: (Custody.Key) -> Bool) {
        surroundings.forget(custody.drop(where: condition), of: id)
    }

    /// Sends the descriptor store everything again: a new one has nothing.
    package func storeAgain() {
        for (key, descriptor) in custody.held {
            surroundings.store.store(descriptor.raw, name: CustodyName.text(id, key))
        }
    }

    private func merge(_ event: KeeperV1.Event) {
        guard event.sequence == lifecycle.keeperSequence + 1 else {
            if event.sequence > lifecycle.keeperSequence { mergeFile() }
            return
        }
        if !apply(event) { mergeLater() }
    }

    /// Merges what the keepers have recorded and the life cycle does not reflect yet; in order, and up to the first that cannot
    /// be recorded now, which nobody would come back to after a later one.
    func mergeFile() {
        for event in directory.events(after: lifecycle.keeperSequence) {
            guard apply(event) else { return mergeLater() }
        }
    }

    /// The disk is full, most likely. The keeper's file has the event.
    private func mergeLater() {
        guard !isToMerge else { return }
        isToMerge = true
        surroundings.works.start(on: thread) {
            try? await Task.sleep(for: .seconds(1))
            await self.mergeAgain()
        }
    }

    private func mergeAgain() {
        isToMerge = false
        mergeFile()
    }

    /// - Returns: Whether it is recorded.
    private func apply(_ event: KeeperV1.Event) -> Bool {
        let news = completed(KeeperNews(event))
        do {
            try change { lifecycle throws(SupervisorError) in lifecycle.merge(news) }
        } catch {
            surroundings.logger.error("merge", metadata: ["id": "\(id)", "error": "\(error)"])
            return false
        }
        if let record = event.record, !record.execId.isEmpty { note(record) }
        switch news.kind {
        case .started: surroundings.faults.reach("supervisor.start.started")
        case .exited:
            surroundings.faults.reach("supervisor.exit.recorded")
            tidyLater()
        case .startFailed, .execExited, .execFailed: tidyLater()
        default: break
        }
        return true
    }

    /// A status that the keeper could not learn may be known to us, who reaped the process as its new parent.
    private func completed(_ news: KeeperNews) -> KeeperNews {
        guard case .exited(let run, let status) = news.kind, !status.isKnown, lifecycle.pid != 0,
            let waitStatus = surroundings.ended.waitStatus(of: lifecycle.pid)
        else { return news }
        let known = ExitStatus(
            waitStatus: waitStatus,
            isOutOfMemory: status.isOutOfMemory,
            atUnixNanos: status.atUnixNanos
        )
        return KeeperNews(sequence: news.sequence, moment: news.moment, kind: .exited(run: run, known))
    }

    /// After an end: copies are needed until the keeper has taken the last byte out of the pipes.
    private func tidyLater() {
        tidyPauseNanos = 5_000_000_000
        guard !isTidying else { return }
        isTidying = true
        surroundings.works.start(on: thread) {
            try? await Task.sleep(for: .seconds(1))
            await self.tidy()
        }
    }

    private func tidy() async {
        isTidying = false
        guard !isReleased, case .ready(let link) = keeper, let isNeeded = try? await tidyCustody(link),
            isNeeded,
            !isToTidyAgain
        else { return }
        isToTidyAgain = true
        let pause = tidyPauseNanos
        tidyPauseNanos = min(tidyPauseNanos * 2, 60_000_000_000)
        surroundings.works.start(on: thread) {
            try? await Task.sleep(for: .nanoseconds(pause))
            await self.tidyAgain()
        }
    }

    private func tidyAgain() async {
        isToTidyAgain = false
        await tidy()
    }

    // MARK: - Asking

    /// The connection to the keeper, once there is one.
    /// - Throws: `.keeperUnavailable` when there is none within ten seconds.
    func connection() async throws -> KeeperConnection {
        _ = try await wait(untilBootNanos: Clock.bootNanos + 10_000_000_000) { container in
            if case .ready = container.keeper { return true }
            return container.isReleased
        }
        guard case .ready(let link) = keeper else {
            throw SupervisorError.keeperUnavailable(id, detail: "no keeper")
        }
        return link.connection
    }

    /// One question to the keeper. A keeper that dies meanwhile is not asked again: it may have done it.
    /// - Parameter limit: nil: as long as it takes (building a container); its caller's deadline ends it.
    func ask(
        _ body: KeeperV1.Packet.Body,
        descriptors: [SharedDescriptor] = [],
        within limit: Duration? = Container.answerLimit
    ) async throws -> KeeperV1.Reply {
        let connection = try await connection()
        do {
            let answer = try await connection.request(body, descriptors: descriptors, within: limit)
            guard case .reply(let reply)? = answer.body else { throw KeeperFailure.unexpectedAnswer }
            return reply
        } catch let failure as KeeperFailure {
            try Task.checkCancellation()
            // Nobody else need find out; the next one to ask waits for the next keeper.
            if case .closed = failure, case .ready(let link) = keeper, link.connection === connection {
                keeper = .none
            }
            throw SupervisorError.keeperUnavailable(id, detail: "\(failure)")
        }
    }

    /// Effect: tells the keeper to start a run. Its events say what came of it; the answer only that it is
    /// time to look.
    func tellStart(run: UInt64) async {
        do {
            try await endCopies(isPatient: true)
            let joined = try await joinedProcesses()
            let kinds = request.joined.map { KeeperV1.JoinedNamespace(kind: $0.kind.rawValue) }
            let reply = try await ask(
                .start(KeeperV1.Start(run: run, joined: kinds)),
                descriptors: joined,
                within: nil
            )
            mergeFile()
            guard let failure = reply.failure else { return }
            try change { lifecycle throws(SupervisorError) in
                lifecycle.startRefused(run: run, StartFailure(failure), now: surroundings.now)
            }
        } catch let absence as NeighbourAbsent {
            refuseStart(run: run, absence.failure)
        } catch {
            // A keeper that died is replaced, and `resume` asks the next one.
            surroundings.logger.warning(
                "start",
                metadata: ["id": "\(id)", "run": "\(run)", "error": "\(error)"]
            )
        }
    }
}
