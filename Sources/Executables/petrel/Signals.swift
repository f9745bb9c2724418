// SPDX-License-Identifier: Apache-2.0
import Synchronization
import System

/// Signals to this process: they end it, unless a command asks to have them.
///
/// The one place shared by the main thread, which reads them, and the command's task.
final class Signals: Sendable {
    static let shared = Signals()

    static let watched: [Signal] = [
        .interrupt, .terminate, .hangUp, .quit, .user1, .user2, .windowChanged,
    ]

    private let listener = Mutex<AsyncStream<Signal>.Continuation?>(nil)
    private let windowListener = Mutex<AsyncStream<Void>.Continuation?>(nil)

    /// From now on signals are elements of the stream, and end nothing.
    func taken() -> AsyncStream<Signal> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Signal.self,
            bufferingPolicy: .bufferingNewest(16)
        )
        listener.withLock { $0 = continuation }
        return stream
    }

    /// An element for each time that the terminal's size has changed; the last one who asks has them.
    func windowChanges() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Void.self,
            bufferingPolicy: .bufferingNewest(1)
        )
        windowListener.withLock { $0 = continuation }
        return stream
    }

    /// Reads the queue for ever, on the calling thread.
    func forward(from queue: borrowing SignalQueue) throws(SystemError) {
        while true {
            var entries = [Poll.Entry(queue.raw)]
            try Poll.wait(&entries)
            while let signal = try queue.next() {
                if signal == .windowChanged {
                    // Without a terminal of its own the container may still want to know.
                    if windowListener.withLock({ $0?.yield() == nil }) {
                        listener.withLock { _ = $0?.yield(signal) }
                    }
                    continue
                }
                let wasTaken = listener.withLock { $0?.yield(signal) != nil }
                // 128 and the signal's number: what a shell shows for a program that the signal killed.
                if !wasTaken { Ending.exit(128 + signal.rawValue) }
            }
        }
    }
}
