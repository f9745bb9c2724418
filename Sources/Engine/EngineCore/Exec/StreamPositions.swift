// SPDX-License-Identifier: Apache-2.0

/// How far the two streams of a process's output have got, in bytes from its start.
package struct StreamPositions: Hashable, Sendable {
    package var output: UInt64
    package var error: UInt64

    package init(output: UInt64 = 0, error: UInt64 = 0) {
        self.output = output
        self.error = error
    }

    /// 1 stdout, 2 stderr.
    subscript(stream: UInt32) -> UInt64 {
        get { stream == 2 ? error : output }
        set { if stream == 2 { error = newValue } else { output = newValue } }
    }

    func covers(_ other: StreamPositions) -> Bool { output >= other.output && error >= other.error }

    /// The further one of each stream, but not beyond `limit`.
    func advanced(to other: StreamPositions, within limit: StreamPositions) -> StreamPositions {
        StreamPositions(
            output: max(output, min(other.output, limit.output)),
            error: max(error, min(other.error, limit.error))
        )
    }
}

/// What is said first on a keeper's stream socket.
package struct StreamOrder: Hashable, Sendable {
    /// Nil: the container's own input.
    package var exec: ContainerID?
    /// Of the container's own input: this run's only.
    package var run: UInt64 = 0
    package var attachesInput: Bool
    package var attachesOutput: Bool
    /// Where the output goes on.
    package var positions = StreamPositions()
}
