// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import Synchronization
internal import System

/// Finds the handler of a call, runs it in the task that it is given, and turns its outcome into the call's status.
///
/// It counts the calls that have a handler or are to have one, so that a server ends only when they have.
final class Dispatcher: Sendable {
    private let methods: [String: ServedMethod]
    /// Most bytes of one message.
    let messageLimit: Int
    private let log: CallLog
    private let observers: [Observer]
    private let interceptors: [any ServerInterceptor]
    private let running = Atomic(0)
    private let idleObserver = Mutex<IdleObserver?>(nil)

    /// An object: each call of one that is in an array copies it.
    private final class Observer: Sendable {
        let observer: any CallObserver

        init(_ observer: any CallObserver) { self.observer = observer }
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
        log: CallLog,
        observers: [any CallObserver],
        interceptors: [any ServerInterceptor]
    ) {
        var methods: [String: ServedMethod] = [:]
        for service in services {
            for method in service.methods {
                let path = "/\(service.serviceName)/\(method.name)"
                let isQuick = quick.contains(String(path.dropFirst()))
                precondition(
                    methods.updateValue(ServedMethod(method, at: path, isQuick: isQuick), forKey: path)
                        == nil,
                    "\(path) is served twice"
                )
            }
        }
        for name in quick { precondition(methods["/" + name] != nil, "\(name) is not served") }
        self.methods = methods
        self.messageLimit = messageLimit
        self.log = log
        self.observers = observers.map { Observer($0) }
        self.interceptors = interceptors
    }

    func method(at path: String) -> ServedMethod? { methods[path] }

    /// Calls whose handlers run, or wait for their request.
    var runningCount: Int { running.load(ordering: .sequentiallyConsistent) }

    /// From now on called each time that none of them is left.
    func whenIdle(_ body: @escaping @Sendable () -> Void) {
        idleObserver.withLock { $0 = IdleObserver(body) }
    }

    /// A call is to be served, now or when its request has come.
    func noteStart(of call: CallStream) {
        running.add(1, ordering: .sequentiallyConsistent)
        call.mailbox.handlers.add(1, ordering: .relaxed)
    }

    // What waits for nothing is in functions of its own: all that an asynchronous one holds is memory of the call's task.

    /// Part of its caller, as each function that can wait costs the call more than it does itself.
    /// - Returns: When it was done, in nanoseconds of boot time.
    @inline(__always)
    func serve(_ call: CallStream, since start: Int64) async -> Int64 {
        let context = CallContext(call)
        if !observers.isEmpty { begin(context) }
        guard let method = call.request.method else { preconditionFailure("a call of no method is served") }
        do {
            if interceptors.isEmpty, context.metadata.isEmpty {
                try await method.run(call, context)
            } else {
                try await serve(method, call, context, in: TraceContext(context.metadata))
            }
            return end(call, context, nil, since: start)
        } catch {
            return end(call, context, error, since: start)
        }
    }

    @inline(never)
    private func serve(
        _ method: ServedMethod,
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
        for observer in observers { observer.observer.began(context) }
    }

    @inline(never)
    private func end(
        _ call: CallStream,
        _ context: CallContext,
        _ error: (any Error)?,
        since start: Int64
    ) -> Int64 {
        let now = Clock.bootNanos
        let failure = error.map { RPCError(endOf: $0) }
        if !observers.isEmpty || log.notes(failure) { report(context, failure, now - start) }
        call.finish(failure)
        noteEnd(of: call)
        return now
    }

    private func noteEnd(of call: CallStream) {
        call.mailbox.handlers.subtract(1, ordering: .relaxed)
        if running.subtract(1, ordering: .sequentiallyConsistent).newValue == 0 {
            // Who looks whether any run has been put here before.
            idleObserver.withLock { $0 }?.body()
        }
    }

    /// The call has ended before its handler was started.
    func drop(_ call: CallStream, _ error: RPCError) {
        let context = CallContext(call)
        begin(context)
        report(context, error, 0)
        noteEnd(of: call)
    }

    @inline(never)
    private func report(_ context: CallContext, _ failure: RPCError?, _ durationNanos: Int64) {
        let outcome = CallOutcome(
            failure: failure,
            durationNanos: durationNanos,
            trace: TraceContext(context.metadata)
        )
        if log.notes(failure) { log.ended(context, outcome) }
        for observer in observers { observer.observer.ended(context, outcome) }
    }

    private func proceed(
        _ method: ServedMethod,
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
