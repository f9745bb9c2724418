// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import Synchronization
internal import System

/// A socket that listens, on the event loop, which it owns. It ends when it is closed, or fails; what it has accepted goes on.
///
/// While no connection can be accepted, for want of descriptors or memory, it rests between attempts: it is ready to be read all
/// that time, and would keep the loop busy.
final class Listener: EventLoop.Source, Sendable {
    private struct State {
        var hasEnded = false
        var waiters = WaitList()
    }

    private let loop: EventLoop
    private let admission: Admission
    private let onConnection: @Sendable (consuming Descriptor) -> Void
    private let state = Mutex(State())
    // On the loop.
    nonisolated(unsafe) private var socket: Descriptor?
    nonisolated(unsafe) private var watch: EventLoop.Watch?

    /// Others have their turn after so many connections.
    private static let acceptsAtOnce = 16
    private static let rest = Duration.milliseconds(100)
    /// What does not pass: it is no socket that listens, or not any more.
    /// - Source: accept(2).
    private static let lasting = [
        ErrorNumber.badDescriptor, ErrorNumber.invalid, ErrorNumber.notSocket, ErrorNumber.notSupported,
    ]

    /// - Parameter onConnection: Told of each connection that has a place, on the loop; when the connection ends, the place is
    ///   to be given back.
    init(
        _ socket: consuming Descriptor,
        on loop: EventLoop,
        _ admission: Admission,
        _ onConnection: @escaping @Sendable (consuming Descriptor) -> Void
    ) {
        self.socket = consume socket
        self.loop = loop
        self.admission = admission
        self.onConnection = onConnection
    }

    /// Accepts connections until it is closed, and until then keeps the caller: rightly endless, ends by `close`.
    func run() async {
        loop.execute { self.start() }
        let ticket = state.withLock { $0.waiters.ticket() }
        await withUnsafeContinuation { (waiter: WaitList.Waiter) in
            let waits = state.withLock { !$0.hasEnded && $0.waiters.add(waiter, ticket) }
            if !waits { waiter.resume() }
        }
    }

    /// From anywhere, also before it runs.
    func close() { loop.execute { self.end() } }

    private func start() {
        guard let raw = socket?.raw else { return }
        do throws(SystemError) {
            // Nothing else would become ready.
            guard try StreamSocket.isListening(raw) else {
                throw SystemError("accept", code: ErrorNumber.invalid)
            }
            // Whoever has made it may have meant to wait for connections.
            try Files.setNonBlocking(raw)
            watch = try loop.watch(raw, .readable, self)
        } catch {
            admission.failed(error)
            end()
        }
    }

    private func end() {
        if let watch { loop.unwatch(watch) }
        watch = nil
        socket = nil
        let waiters = state.withLock { state in
            state.hasEnded = true
            return state.waiters.takeAll()
        }
        waiters.resume()
    }

    func ready(_ found: Epoll.Interest) {
        for _ in 0..<Self.acceptsAtOnce {
            guard let raw = socket?.raw, watch != nil else { return }
            do throws(SystemError) {
                let connection = try StreamSocket.accept(raw, nonBlocking: true)
                if admission.admit() { onConnection(connection) }
            } catch {
                return couldNotAccept(error)
            }
        }
    }

    private func couldNotAccept(_ error: SystemError) {
        guard error.code != ErrorNumber.tryAgain else { return }
        admission.failed(error)
        guard !Self.lasting.contains(error.code), let watch else { return end() }
        loop.change(watch, Epoll.Interest())
        loop.schedule(after: Self.rest) { [self] in
            if let watch = self.watch { loop.change(watch, .readable) }
        }
    }
}
