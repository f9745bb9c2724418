// SPDX-License-Identifier: Apache-2.0
package import EngineCore
internal import Messages
package import RPC
internal import Services

/// The supervisor, as the engine's core wants it, over gRPC. Everything is asked for as owner "engine".
package struct SupervisorPeer: ContainerSupervisor {
    static let owner = "engine"

    let client: SupervisorV1.SupervisorClient
    let calls = PeerCalls(daemon: "supervisor")

    package init(channel: Channel) { client = SupervisorV1.SupervisorClient(channel: channel) }

    package func create(_ order: ContainerOrder) async throws(PeerError) -> SupervisedContainer {
        let request = SupervisorV1.CreateRequest(
            id: order.id.text,
            owner: SupervisorPeer.owner,
            key: order.id.text,
            specJson: order.specification,
            rootfs: order.rootMounts.map(CommonV1.Mount.init),
            openStdin: order.opensStdin,
            stdinOnce: order.stdinOnce,
            restartPolicy: SupervisorV1.RestartPolicy(order.restart),
            autoRemove: order.autoRemove,
            output: SupervisorV1.OutputOptions(
                maxSegmentBytes: order.output.segmentBytes,
                maxSegments: order.output.segments,
                dropWhenFull: order.output.dropsWhenFull,
                readerExpected: order.output.expectsReader
            ),
            stopSignal: order.stopSignal,
            stopTimeoutMillis: order.stopTimeoutMillis,
            healthCheck: order.health.map(SupervisorV1.HealthCheck.init),
            joinedNamespaces: order.joined.map {
                SupervisorV1.JoinedNamespace(kind: $0.kind.rawValue, containerId: $0.container.text)
            },
            cgroupParent: order.cgroupParent,
            startKey: order.startKey,
            provisional: order.isProvisional
        )
        return try container(
            try await calls.repeating { options throws(RPCError) in
                try await client.create(request, options: options)
            }
        )
    }

    package func keep(_ id: ContainerID) async throws(PeerError) {
        let request = SupervisorV1.KeepRequest(owner: SupervisorPeer.owner, id: id.text)
        do throws(PeerError) {
            _ = try await calls.repeating { options throws(RPCError) in
                try await client.keep(request, options: options)
            }
        } catch {
            // One of an earlier release has no containers but on the disk.
            guard error.kind == .unimplemented else { throw error }
        }
    }

    package func start(_ id: ContainerID, key: String) async throws(PeerError) -> SupervisedContainer {
        let request = SupervisorV1.StartRequest(owner: SupervisorPeer.owner, id: id.text, key: key)
        return try container(
            try await calls.repeating { options throws(RPCError) in
                try await client.start(request, options: options)
            }
        )
    }

    package func stop(
        _ id: ContainerID,
        timeoutMillis: UInt32?,
        signal: Int32
    ) async throws(PeerError) -> SupervisedContainer {
        let request = SupervisorV1.StopRequest(
            owner: SupervisorPeer.owner,
            id: id.text,
            timeoutMillis: timeoutMillis,
            signal: signal
        )
        return try container(
            try await calls.repeating(CallDeadline.patientOptions) { options throws(RPCError) in
                try await client.stop(request, options: options)
            }
        )
    }

    package func kill(_ id: ContainerID, signal: Int32) async throws(PeerError) -> SupervisedContainer {
        let request = SupervisorV1.KillRequest(owner: SupervisorPeer.owner, id: id.text, signal: signal)
        return try container(
            try await calls.once { options throws(RPCError) in
                try await client.kill(request, options: options)
            }
        )
    }

    package func delete(_ id: ContainerID, force: Bool, isFinal: Bool) async throws(PeerError) {
        let request = SupervisorV1.DeleteRequest(
            owner: SupervisorPeer.owner,
            id: id.text,
            force: force,
            final: isFinal
        )
        _ = try await calls.repeating { options throws(RPCError) in
            try await client.delete(request, options: options)
        }
    }

    package func get(_ id: ContainerID) async throws(PeerError) -> SupervisedContainer {
        let request = SupervisorV1.GetRequest(owner: SupervisorPeer.owner, id: id.text)
        return try container(
            try await calls.repeating { options throws(RPCError) in
                try await client.get(request, options: options)
            }
        )
    }

    package func list() async throws(PeerError) -> SupervisedList {
        let request = SupervisorV1.ListRequest(owner: SupervisorPeer.owner)
        let response = try await calls.repeating { options throws(RPCError) in
            try await client.list(request, options: options)
        }
        return SupervisedList(
            containers: response.containers.compactMap(SupervisedContainer.init),
            position: JournalPosition(journal: response.journalId, sequence: response.sequence)
        )
    }

    package func wait(_ id: ContainerID, until condition: WaitCondition) async throws(PeerError)
        -> SupervisedExit
    {
        let request = SupervisorV1.WaitRequest(
            owner: SupervisorPeer.owner,
            id: id.text,
            condition: SupervisorV1.WaitRequest.Condition(condition)
        )
        let response = try await calls.once(CallDeadline.endlessOptions) { options throws(RPCError) in
            try await client.wait(request, options: options)
        }
        return response.exit.map(SupervisedExit.init) ?? SupervisedExit(code: 0)
    }

    package func exec(_ order: ExecOrder) async throws(PeerError) -> SupervisedExec {
        let request = SupervisorV1.ExecRequest(
            owner: SupervisorPeer.owner,
            containerId: order.container.text,
            execId: order.exec.text,
            processJson: order.process,
            openStdin: order.opensStdin,
            detached: order.isDetached
        )
        return SupervisedExec(
            try await calls.repeating { options throws(RPCError) in
                try await client.exec(request, options: options)
            }
        )
    }

    package func getExec(_ exec: ContainerID, of container: ContainerID) async throws(PeerError)
        -> SupervisedExec
    {
        let request = execRequest(exec, container)
        return SupervisedExec(
            try await calls.repeating { options throws(RPCError) in
                try await client.getExec(request, options: options)
            }
        )
    }

    package func waitExec(_ exec: ContainerID, of container: ContainerID) async throws(PeerError)
        -> SupervisedExec
    {
        let request = execRequest(exec, container)
        return SupervisedExec(
            try await calls.once(CallDeadline.endlessOptions) { options throws(RPCError) in
                try await client.waitExec(request, options: options)
            }
        )
    }

    package func streamRequest(_ order: StreamOrder) -> [UInt8] {
        KeeperV1.StreamRequest(
            execId: order.exec?.text ?? "",
            attachStdin: order.attachesInput,
            attachOutput: order.attachesOutput,
            stdoutPosition: order.positions.output,
            stderrPosition: order.positions.error,
            run: order.run
        ).serialized()
    }

    package func resizeTerminal(
        of container: ContainerID,
        exec: ContainerID?,
        to size: ConsoleSize
    ) async throws(PeerError) {
        let request = SupervisorV1.ResizeTerminalRequest(
            owner: SupervisorPeer.owner,
            containerId: container.text,
            execId: exec?.text ?? "",
            columns: UInt32(size.columns),
            rows: UInt32(size.rows)
        )
        _ = try await calls.repeating { options throws(RPCError) in
            try await client.resizeTerminal(request, options: options)
        }
    }

    package func followJournal(
        after position: JournalPosition,
        _ receive: @Sendable (JournalEvent) async throws -> Void
    ) async throws {
        let request = SupervisorV1.EventsRequest(
            owner: SupervisorPeer.owner,
            journalId: position.journal,
            afterSequence: position.sequence
        )
        let stream = try await calls.once(CallDeadline.endlessOptions) { options throws(RPCError) in
            try await client.events(request, options: options)
        }
        while true {
            let next: SupervisorV1.Event?
            do throws(RPCError) { next = try await stream.next() } catch { throw calls.peerError(error) }
            guard let next else { return }
            // Whatever has no container of ours moves the position all the same: the next event does.
            if let event = JournalEvent(next) { try await receive(event) }
        }
    }

    package func acknowledge(_ position: JournalPosition) async throws(PeerError) {
        let request = SupervisorV1.AcknowledgeEventsRequest(
            owner: SupervisorPeer.owner,
            journalId: position.journal,
            sequence: position.sequence
        )
        _ = try await calls.once { options throws(RPCError) in
            try await client.acknowledgeEvents(request, options: options)
        }
    }

    package func version() async throws(PeerError) -> SupervisorVersion {
        let response = try await calls.repeating { options throws(RPCError) in
            try await client.version(SupervisorV1.VersionRequest(), options: options)
        }
        return SupervisorVersion(release: response.version, cgroupLayout: response.cgroupLayout)
    }

    private func execRequest(_ exec: ContainerID, _ container: ContainerID) -> SupervisorV1.GetExecRequest {
        SupervisorV1.GetExecRequest(
            owner: SupervisorPeer.owner,
            containerId: container.text,
            execId: exec.text
        )
    }

    func container(_ message: SupervisorV1.Container) throws(PeerError) -> SupervisedContainer {
        guard let container = SupervisedContainer(message) else {
            let text = "the supervisor answered with the malformed id \"\(message.id)\""
            throw PeerError(daemon: "supervisor", kind: .internal, message: text)
        }
        return container
    }
}
