// SPDX-License-Identifier: Apache-2.0
internal import Logging
internal import System

/// The container whose namespace is to be joined does not run.
struct NeighbourAbsent: Error {
    let failure: StartFailure

    init(_ joined: ContainerRequest.Joined) {
        failure = StartFailure(
            step: StartFailure.joinStep,
            path: "\(joined.kind.rawValue) namespace of container \(joined.container.text.prefix(12))",
            errno: ErrorNumber.noSuchProcess
        )
    }
}

/// Living in another container's namespaces. They are found by that container's id at each start, so it makes no
/// difference who asks for the start, or how often the other one was started again.
extension Container {
    /// How long a start waits for another container that is on its way.
    private static let patienceNanos: Int64 = 10_000_000_000

    /// The first processes of the containers whose namespaces it joins, in the request's order.
    /// - Throws: `NeighbourAbsent` when one does not run.
    func joinedProcesses() async throws -> [SharedDescriptor] {
        let deadline = Clock.bootNanos + Self.patienceNanos
        var result: [SharedDescriptor] = []
        for joined in request.joined {
            guard joined.container != id,
                let other = surroundings.neighbours.find(joined.container, owner: request.owner),
                let process = try await other.processToJoin(untilBootNanos: deadline)
            else { throw NeighbourAbsent(joined) }
            result.append(process)
        }
        return result
    }

    /// Its first process; nil when it does not run. Waits while a start of it is on its way, at most until the deadline.
    private func processToJoin(untilBootNanos deadline: Int64) async throws -> SharedDescriptor? {
        _ = try await wait(untilBootNanos: deadline) { container in
            switch container.lifecycle.phase {
            case .starting, .restarting: container.lifecycle.isBeingDeleted || container.isRemoved
            case .running: container.custody.process(ofRun: container.lifecycle.run) != nil
            case .created, .exited: true
            }
        }
        guard lifecycle.phase == .running else { return nil }
        return custody.process(ofRun: lifecycle.run)
    }

    /// The start comes to nothing without the keeper having been asked.
    func refuseStart(run: UInt64, _ failure: StartFailure) {
        do {
            try change { lifecycle throws(SupervisorError) in
                lifecycle.startRefused(run: run, failure, now: surroundings.now)
            }
        } catch {
            surroundings.logger.error(
                "start",
                metadata: ["id": "\(id)", "run": "\(run)", "error": "\(error)"]
            )
            // The disk is full, most likely: later again.
            surroundings.works.start(on: thread) {
                try? await Task.sleep(for: .seconds(1))
                guard !Task.isCancelled else { return }
                await self.refuseStart(run: run, failure)
            }
        }
    }
}
