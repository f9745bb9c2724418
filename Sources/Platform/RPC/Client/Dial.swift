// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import System

/// One attempt to reach a server, on the event loop: it ends with a connected socket, or with why there is none.
///
/// It owns the sockets that are on their way; those that are not needed any more are closed.
final class Dial {
    typealias Completion = (consuming Result<Descriptor, RPCError>) -> Void

    private let address: ServerAddress
    private let loop: EventLoop
    private let isWanted: () -> Bool
    private var completion: Completion?
    /// Over TCP: where the server may be, and is not looked for yet.
    private var rest: ArraySlice<InternetAddress> = []
    private var attempts: [Attempt] = []
    private var failure: String
    private var timer: Timer?

    /// An attempt may take so long.
    private static let limit = Duration.seconds(20)
    /// While a server's queue has no place, it is asked again so often.
    private static let placeDelay = Duration.milliseconds(2)
    /// The next address of a name is tried beside the others after so long.
    /// - Source: RFC 8305, section 5.
    private static let addressDelay = Duration.milliseconds(250)

    /// - Parameters:
    ///   - isWanted: Whether a server without a place is still to be asked.
    ///   - completion: Called once.
    init(
        _ address: ServerAddress,
        on loop: EventLoop,
        while isWanted: @escaping () -> Bool,
        _ completion: @escaping Completion
    ) {
        self.address = address
        self.loop = loop
        self.isWanted = isWanted
        self.completion = completion
        failure = "it has no address"
    }

    func start() {
        let bound = EventLoop.Bound(self)
        switch address {
        case .unixSocket(let path): connect(to: path, until: Clock.bootNanos(after: Self.limit))
        case .tcp(let host, let port):
            guard let port = UInt16(exactly: port) else { return fail("there is no port \(port)") }
            timer = loop.schedule(after: Self.limit) { bound.value.fail("no answer") }
            resolve(host, port)
        }
    }

    /// Nobody wants the connection any more. Nothing, once it has ended.
    func cancel(_ error: RPCError) { finish(.failure(error)) }

    private func finish(_ outcome: consuming Result<Descriptor, RPCError>) {
        guard let completion else { return }
        self.completion = nil
        // It would keep whoever dials.
        if let timer { loop.cancel(timer) }
        timer = nil
        for attempt in attempts { attempt.close() }
        attempts = []
        rest = []
        completion(outcome)
    }

    private func fail(_ reason: String) {
        finish(.failure(RPCError(.unavailable, "connect \(address): \(reason)")))
    }

    // MARK: - Unix sockets

    /// While as many clients wait for the server to accept them as may, it is tried again: on a socket that does not block,
    /// the kernel does not wait for a place.
    private func connect(to path: String, until deadlineNanos: Int64) {
        do throws(SystemError) {
            finish(.success(try UnixSocket.connect(.stream, to: path, nonBlocking: true)))
        } catch {
            guard error.code == ErrorNumber.tryAgain, Clock.bootNanos < deadlineNanos, isWanted() else {
                return finish(.failure(RPCError(.unavailable, "\(error)")))
            }
            let bound = EventLoop.Bound(self)
            loop.schedule(after: Self.placeDelay) {
                bound.value.connect(to: path, until: deadlineNanos)
            }
        }
    }

    // MARK: - TCP

    /// The resolver blocks: it has a thread of its own.
    private func resolve(_ host: String, _ port: UInt16) {
        let (loop, bound) = (loop, EventLoop.Bound(self))
        let resolve: @Sendable () -> Void = {
            let result = Result { () throws(InternetAddress.ResolutionError) in
                try InternetAddress.resolve(host, port: port)
            }
            loop.execute { bound.value.resolved(result) }
        }
        // An address is looked up nowhere.
        if IPAddress.isValid(host) { return resolve() }
        do throws(SystemError) { try Threads.start(resolve) } catch { fail("\(error)") }
    }

    private func resolved(_ result: Result<[InternetAddress], InternetAddress.ResolutionError>) {
        switch result {
        case .success(let addresses):
            rest = addresses[...]
            tryNext()
        case .failure(let error): fail("\(error)")
        }
    }

    /// A name's addresses are tried side by side, each a little later than the one before, or when that has failed.
    private func tryNext() {
        guard completion != nil else { return }
        guard let address = rest.popFirst() else {
            if attempts.isEmpty { fail(failure) }
            return
        }
        do throws(SystemError) {
            let attempt = Attempt(try address.connect(), on: loop) { [unowned self] in connected($0, $1) }
            try attempt.start()
            attempts.append(attempt)
        } catch {
            failure = "\(error)"
            return tryNext()
        }
        guard !rest.isEmpty else { return }
        let bound = EventLoop.Bound(self)
        loop.schedule(after: Self.addressDelay) { bound.value.tryNext() }
    }

    private func connected(_ attempt: Attempt, _ outcome: consuming Result<Descriptor, SystemError>) {
        attempts.removeAll { $0 === attempt }
        switch consume outcome {
        case .success(let socket): finish(.success(socket))
        case .failure(let error):
            failure = "\(error)"
            tryNext()
        }
    }

    /// A socket on its way to one address.
    private final class Attempt: EventLoop.Source {
        typealias Completion = (Attempt, consuming Result<Descriptor, SystemError>) -> Void

        private let loop: EventLoop
        private var socket: Descriptor?
        private let raw: Int32
        private var watch: EventLoop.Watch?
        private let completion: Completion

        init(_ socket: consuming Descriptor, on loop: EventLoop, _ completion: @escaping Completion) {
            raw = socket.raw
            self.socket = consume socket
            self.loop = loop
            self.completion = completion
        }

        func start() throws(SystemError) { watch = try loop.watch(raw, .writable, self) }

        func ready(_ found: Epoll.Interest) {
            let code = InternetSocket.takeError(of: raw)
            guard let socket = take() else { return }
            completion(self, code == 0 ? .success(socket) : .failure(SystemError("connect", code: code)))
        }

        func close() { _ = take() }

        private func take() -> Descriptor? {
            if let watch { loop.unwatch(watch) }
            watch = nil
            return socket.take()
        }
    }
}
