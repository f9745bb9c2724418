// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import Messages
internal import Synchronization

/// `grpc.health.v1.Health`, as every server has it: its services serve from the start until it drains.
final class HealthService: RPCService {
    private typealias Status = GrpcHealthV1.HealthCheckResponse.ServingStatus
    private typealias Waiter = UnsafeContinuation<Void, Never>

    private struct State {
        var isDraining = false
        var watchers = WaitList()
    }

    private let names: Set<String>
    private let state = Mutex(State())

    /// - Parameter more: Names of services that are served as well.
    init(services: [any RPCService], more: [String]) {
        // The empty name is the server as a whole.
        names = Set(services.map(\.serviceName) + more + ["", "grpc.health.v1.Health"])
    }

    var serviceName: String { "grpc.health.v1.Health" }

    var fileDescriptors: [FileDescriptorData] { [FileDescriptors.grpcHealthV1Health] }

    var methods: [RPCMethod] {
        [
            .init("Check") { [self] call, _ in
                try await call.answer(check(call.request(GrpcHealthV1.HealthCheckRequest.self)))
            },
            .serverStreaming("Watch") { [self] request, responses, _ in try await watch(request, responses) },
        ]
    }

    /// From now on nothing is served; the watchers are told, and their calls end.
    func drain() {
        let waiters = state.withLock { state in
            state.isDraining = true
            return state.watchers.takeAll()
        }
        waiters.resume()
    }

    private func check(
        _ request: GrpcHealthV1.HealthCheckRequest
    ) throws(RPCError) -> GrpcHealthV1.HealthCheckResponse {
        let status = status(of: request.service)
        guard status != .serviceUnknown else {
            throw RPCError(.notFound, "unknown service \(request.service)")
        }
        return GrpcHealthV1.HealthCheckResponse(status: status)
    }

    private func watch(
        _ request: GrpcHealthV1.HealthCheckRequest,
        _ responses: ResponseWriter<GrpcHealthV1.HealthCheckResponse>
    ) async throws {
        // An unknown service is answered too, and waited for: it cannot appear later, so this is the whole answer.
        try await responses.write(GrpcHealthV1.HealthCheckResponse(status: status(of: request.service)))
        await waitForDrain()
        try Task.checkCancellation()
        try await responses.write(GrpcHealthV1.HealthCheckResponse(status: status(of: request.service)))
    }

    private func status(of service: String) -> Status {
        guard names.contains(service) else { return .serviceUnknown }
        return state.withLock { $0.isDraining } ? .notServing : .serving
    }

    /// Rightly endless: ends when the server drains, or the call is cancelled.
    private func waitForDrain() async {
        let ticket = state.withLock { $0.watchers.ticket() }
        await withTaskCancellationHandler {
            await withUnsafeContinuation { (waiter: Waiter) in
                let waits = state.withLock { !$0.isDraining && $0.watchers.add(waiter, ticket) }
                if !waits { waiter.resume() }
            }
        } onCancel: {
            state.withLock { $0.watchers.cancel(ticket) }?.resume()
        }
        state.withLock { $0.watchers.forget(ticket) }
    }
}
