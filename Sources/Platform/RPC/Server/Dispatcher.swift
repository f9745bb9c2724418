// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import Synchronization
internal import System

/// Finds the handler of a call, runs it as a task, and turns its outcome into the call's status.
///
/// The task is not structured: a connection starts it on its event loop, tracks and cancels it. The dispatcher counts
/// the tasks, so that a server ends only when they have.
final class Dispatcher: Sendable {
    /// A method that is served; a quick one on the event loop.
    typealias Method = (method: RPCMethod, isQuick: Bool)

    private let methods: [String: Method]
    /// Most bytes of one message.
    let messageLimit: Int
    private let observers: [any CallObserver]
    private let interceptors: [any ServerInterceptor]
    private let state = Mutex(State())

    private struct State {
        var running = 0
        var idleObserver: IdleObserver?
    }

    /// Not a bare closure: each access to one through a generic type wraps it once more.
    private final class IdleObserver: Sendable {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// - Precondition: No two services have the same name, and every quick method is one of theirs.
    init(
        services: [any RPCService],
        quick: Set<String>,
        messageLimit: Int,
        observers: [any CallObserver],
        interceptors: [any ServerInterceptor]
    ) {
        var methods: [String: Method] = [:]
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
        self.observers = observers
        self.interceptors = interceptors
    }

    func method(at path: String) -> Method? { methods[path] }

    var runningCount: Int { state.withLock { $0.running } }

    /// From now on called each time that the last running handler has ended.
    func whenIdle(_ body: @escaping @Sendable () -> Void) {
        state.withLock { $0.idleObserver = IdleObserver(body) }
    }

    /// On the event loop. A quick handler runs at once, up to its first wait.
    func start(
        _ method: Method,
        _ call: CallStream,
        _ context: CallContext
    ) -> Task<Void, Never> {
        state.withLock { $0.running += 1 }
        call.mailbox.handlers.add(1, ordering: .relaxed)
        let handler = method.method
        guard method.isQuick else { return Task { await self.serve(handler, call, context) } }
        return Task.immediate(executorPreference: EventLoop.shared) {
            await self.serve(handler, call, context)
        }
    }

    // What waits for nothing is in functions of its own: all that an asynchronous one holds is memory of the call's task.

    private func serve(_ method: RPCMethod, _ call: CallStream, _ context: CallContext) async {
        let start = Clock.bootNanos
        begin(context)
        do {
            if interceptors.isEmpty, context.metadata.isEmpty {
                try await method.run(call, context)
            } else {
                try await serve(method, call, context, in: TraceContext(context.metadata))
            }
            end(call, context, nil, since: start)
        } catch {
            end(call, context, error, since: start)
        }
    }

    @inline(never)
    private func serve(
        _ method: RPCMethod,
        _ call: CallStream,
        _ context: CallContext,
        in trace: TraceContext?
    ) async throws {
        guard let trace else { return try await proceed(method, call, context, interceptors[...]) }
        try await TraceContext.$current.withValue(trace) {
            try await proceed(method, call, context, interceptors[...])
        }
    }

    @inline(never)
    private func begin(_ context: CallContext) {
        for observer in observers { observer.began(context) }
    }

    @inline(never)
    private func end(
        _ call: CallStream,
        _ context: CallContext,
        _ error: (any Error)?,
        since start: Int64
    ) {
        let failure = error.map { RPCError(endOf: $0) }
        let outcome = CallOutcome(
            failure: failure,
            durationNanos: Clock.bootNanos - start,
            trace: TraceContext(context.metadata)
        )
        for observer in observers { observer.ended(context, outcome) }
        call.finish(failure)
        call.mailbox.handlers.subtract(1, ordering: .relaxed)
        let observer = state.withLock { state in
            state.running -= 1
            return state.running == 0 ? state.idleObserver : nil
        }
        observer?.body()
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
