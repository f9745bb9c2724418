// SPDX-License-Identifier: Apache-2.0
internal import Logging
internal import Synchronization
internal import System

/// Finds the handler of a call, runs it as a task, and turns its outcome into the call's status.
///
/// The task is not structured: a connection starts it on its event loop, tracks and cancels it. The dispatcher counts
/// the tasks, so that a server ends only when they have.
final class Dispatcher: Sendable {
    private let methods: [String: (method: RPCMethod, isQuick: Bool)]
    /// Most bytes of one message.
    let messageLimit: Int
    private let logger: Logger
    private let state = Mutex(State())

    private struct State {
        var running = 0
        /// In a structure, never a lock's own value: each access to a bare closure through a generic type wraps it once more.
        var onIdle: (@Sendable () -> Void)?
    }

    /// - Precondition: No two services have the same name, and every quick method is one of theirs.
    init(services: [any RPCService], quick: Set<String>, messageLimit: Int, logger: Logger) {
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
        self.logger = logger
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
        let handler = method.method
        guard method.isQuick else { return Task { await self.serve(handler, call, context) } }
        return Task.immediate(executorPreference: LoopExecutor.shared) {
            await self.serve(handler, call, context)
        }
    }

    private func serve(_ method: RPCMethod, _ call: CallStream, _ context: CallContext) async {
        await run(method, call, context)
        let onIdle = state.withLock { state in
            state.running -= 1
            return state.running == 0 ? state.onIdle : nil
        }
        onIdle?()
    }

    private func run(_ method: RPCMethod, _ call: CallStream, _ context: CallContext) async {
        let start = Clock.bootNanos
        var failure: RPCError?
        do { try await method.run(call, context) } catch { failure = status(of: error) }
        call.finish(failure)
        log(context, failure, .nanoseconds(Clock.bootNanos - start))
    }

    private func status(of error: any Error) -> RPCError {
        switch error {
        // A handler that passes a success on as an error has failed all the same.
        case let error as RPCError where error.code != .ok: error
        case is CancellationError where Task.isCancelled: RPCError(.cancelled, "the call was cancelled")
        default: RPCError(.internal, "\(error)")
        }
    }

    private func log(_ context: CallContext, _ failure: RPCError?, _ duration: Duration) {
        let level: Logger.Level =
            switch failure?.code {
            case nil: .debug
            case .internal, .unknown, .dataLoss: .error
            default: .info
            }
        guard level >= logger.logLevel else { return }
        var metadata: Logger.Metadata = [
            "method": "\(context.method)", "status": "\(failure?.code ?? .ok)", "duration": "\(duration)",
        ]
        if let peer = context.peer { metadata["peer-pid"] = "\(peer.pid)" }
        if let failure { metadata["error"] = "\(failure.message)" }
        logger.log(level: level, "call", metadata: metadata)
    }
}
