// SPDX-License-Identifier: Apache-2.0
package import EngineCore
internal import Messages
internal import RPC
internal import Services

/// Calls that change a container that is there, or ask what it uses.
extension SupervisorPeer {
    package func pause(_ id: ContainerID) async throws(PeerError) -> SupervisedContainer {
        let request = SupervisorV1.PauseRequest(owner: SupervisorPeer.owner, id: id.text)
        return try container(
            try await calls.repeating { options throws(RPCError) in
                try await client.pause(request, options: options)
            }
        )
    }

    package func unpause(_ id: ContainerID) async throws(PeerError) -> SupervisedContainer {
        let request = SupervisorV1.PauseRequest(owner: SupervisorPeer.owner, id: id.text)
        return try container(
            try await calls.repeating { options throws(RPCError) in
                try await client.unpause(request, options: options)
            }
        )
    }

    package func update(
        _ id: ContainerID,
        resources: [UInt8],
        restart: ContainerSettings.RestartPolicy?
    ) async throws(PeerError) -> SupervisedContainer {
        let request = SupervisorV1.UpdateRequest(
            owner: SupervisorPeer.owner,
            id: id.text,
            resourcesJson: resources,
            restartPolicy: restart.map(SupervisorV1.RestartPolicy.init)
        )
        return try container(
            try await calls.repeating { options throws(RPCError) in
                try await client.update(request, options: options)
            }
        )
    }

    package func usage(of ids: [ContainerID]) async throws(PeerError) -> [SupervisedUsage] {
        let request = SupervisorV1.UsageRequest(owner: SupervisorPeer.owner, ids: ids.map(\.text))
        let response = try await calls.repeating { options throws(RPCError) in
            try await client.usage(request, options: options)
        }
        return response.usages.compactMap(SupervisedUsage.init)
    }
}
