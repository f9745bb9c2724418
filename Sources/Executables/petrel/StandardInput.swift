// SPDX-License-Identifier: Apache-2.0
import System

/// Our standard input, read by a thread of its own only as fast as somebody asks for it.
///
/// A read that blocks for ever ends with the process; nobody waits for that thread.
actor StandardInput {
    private let demand = Monitor(0)
    private let chunks: AsyncStream<[UInt8]>
    private var iterator: AsyncStream<[UInt8]>.Iterator

    private static let chunkSize = 64 << 10

    init() throws {
        let (stream, continuation) = AsyncStream.makeStream(of: [UInt8].self)
        chunks = stream
        iterator = stream.makeAsyncIterator()
        let demand = demand
        try Threads.start {
            while true {
                demand.wait { wanted -> Void? in
                    guard wanted > 0 else { return nil }
                    wanted -= 1
                    return ()
                }
                let chunk = [UInt8](unsafeUninitializedCapacity: Self.chunkSize) { buffer, count in
                    // A failure to read is the end of the input.
                    count = (try? Files.read(0, into: UnsafeMutableRawBufferPointer(buffer))) ?? 0
                }
                guard !chunk.isEmpty else { return continuation.finish() }
                continuation.yield(chunk)
            }
        }
    }

    /// The next bytes; nil at the end of the input, or when the task is cancelled.
    func next() async -> [UInt8]? {
        demand.withLock { $0 += 1 }
        var own = iterator
        defer { iterator = own }
        return await own.next(isolation: self)
    }
}
