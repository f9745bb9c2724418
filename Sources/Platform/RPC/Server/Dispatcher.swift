// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// Finds the handler of a call, runs it as a task, and turns its outcome into the call's status.
///
/// The task is not structured: a connection starts it on its event loop, tracks and cancels it. The dispatcher counts
/// the tasks, so that a server ends only when they have.
final class Dispatcher: Sendable {
    private let methods: [String: (method: RPCMethod, isQuick: Bool)]
    /// Most bytes of one message.
    let messageLimit: Int
    private let interceptors: [any ServerInterceptor]
    private let state = Mutex(State())

    private struct State {
        var running = 0
        /// In a structure, never a lock's own value: each access to a bare closure through a generic type wraps it once more.
        var onIdle: (@Sendable () -> Void)?
    }

    /// - Precondition: No two services have the same name, and every quick method is one of theirs.
    init(
        services: [any RPCService],
        quick: Set<String>,
        messageLimit: Int,
        interceptors: [any ServerInterceptor]
    ) {
        var methods: [String: (method: RPCMethod, isQuick: Bool)] = [:]
        for service in services {
            for method in service.methods {
                let path = "/\(service.serviceName)/\(method.name)"
                let isQuick = quick.contains(String(path.dropFirst()))
                precondition(
                    methods.updateValue((method, isQuick), forKey: path) == nil,
                    "\(path) is served twice"
                )
            }
        }
        for name in quick { precondition(methods["/" + name] != nil, "\(name) is not served") }
        self.methods = methods
        self.messageLimit = messageLimit
        self.interceptors = interceptors
    }

    func method(at path: String) -> (method: RPCMethod, isQuick: Bool)? { methods[path] }

    var runningCount: Int { state.withLock { $0.running } }

    /// Called each time that the last running handler has ended.
    func whenIdle(_ body: @escaping @Sendable () -> Void) { state.withLock { $0.onIdle = body } }

    /// On the event loop. A quick handler runs at once, up to its first wait.
    func start(
        _ method: (method: RPCMethod, isQuick: Bool),
        _ call: CallStream,
        _ context: CallContext
    ) -> Task<Void, Never> {
        state.withLock { $0.running += 1 }
        call.mailbox.handlers.add(1, ordering: .relaxed)
        let handler = method.method
        guard method.isQuick else { return Task { await self.serve(handler, call, context) } }
        return Task.immediate(executorPreference: LoopExecutor.shared) {
            await self.serve(handler, call, context)
        }
    }

    private func serve(_ method: RPCMethod, _ call: CallStream, _ context: CallContext) async {
        await run(method, call, context)
        call.mailbox.handlers.subtract(1, ordering: .relaxed)
        let onIdle = state.withLock { state in
            state.running -= 1
            return state.running == 0 ? state.onIdle : nil
        }
        onIdle?()
    }

    private func run(_ method: RPCMethod, _ call: CallStream, _ context: CallContext) async {
        var failure: RPCError?
        do {
            if let trace = TraceContext(context.metadata) {
                try await TraceContext.$current.withValue(trace) {
                    try await proceed(method, call, context, interceptors[...])
                }
            } else {
                try await proceed(method, call, context, interceptors[...])
            }
        } catch {
            failure = RPCError(endOf: error)
        }
        call.finish(failure)
    }

    private func proceed(
        _ method: RPCMethod,
        _ call: CallStream,
        _ context: CallContext,
        _ rest: ArraySlice<any ServerInterceptor>
    ) async throws {
        guard let first = rest.first else { return try await method.run(call, context) }
        try await first.intercept(context) {
            try await self.proceed(method, call, context, rest.dropFirst())
        }
    }
}
