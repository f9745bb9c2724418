// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// What a handler knows of the call that it serves.
package struct CallContext: Sendable {
    /// `/petrel.engine.v1.Containers/Create`.
    package let method: String
    /// Who is at the other end, as the kernel says; nil when the connection is not a Unix socket.
    package let peer: PeerCredentials?
    /// What the client sent beside its messages.
    package let metadata: Metadata
    /// When the client stops waiting; the handler's task is cancelled then.
    package let deadline: ContinuousClock.Instant?

    private let answer: Answer

    init(method: String, peer: PeerCredentials?, metadata: Metadata, deadline: ContinuousClock.Instant?) {
        self.method = method
        self.peer = peer
        self.metadata = metadata
        self.deadline = deadline
        answer = Answer()
    }

    /// Sent before the first response; has no effect after it.
    package func setInitialMetadata(_ metadata: Metadata) {
        answer.metadata.withLock { $0.initial = metadata }
    }

    /// Sent after the last response, with the status.
    package func setTrailingMetadata(_ metadata: Metadata) {
        answer.metadata.withLock { $0.trailing = metadata }
    }

    /// The time left until the deadline, at least zero; nil: without limit. For calls made on the caller's behalf.
    package var remaining: Duration? {
        deadline.map { max(.zero, ContinuousClock.now.duration(to: $0)) }
    }

    var initialMetadata: Metadata { answer.metadata.withLock { $0.initial } }
    var trailingMetadata: Metadata { answer.metadata.withLock { $0.trailing } }

    private final class Answer: Sendable {
        let metadata = Mutex<(initial: Metadata, trailing: Metadata)>(([:], [:]))
    }
}
