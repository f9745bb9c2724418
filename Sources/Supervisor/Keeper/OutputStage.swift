// SPDX-License-Identifier: Apache-2.0
internal import System

/// An exec's output between process and client: a memory file that the supervisor holds too, as one open file.
///
/// Its offset is the number of bytes ever taken, and moves with them; what a client has acknowledged is freed. So a next
/// keeper goes on with nothing but the file: that it does not know what was acknowledged costs it at most a pause until
/// the client says so again.
final class OutputStage {
    /// Most bytes that are taken and not acknowledged.
    static let window: Int64 = 512 << 10
    private static let pageSize: Int64 = 4096
    private static let retryNanos: Int64 = 250_000_000

    let file: SharedDescriptor
    private(set) var taken: Int64
    private(set) var acknowledged: Int64
    private var freed: Int64
    /// Where memory is short: when to try again, in boot time.
    private(set) var retryAt: Int64?
    private let faults: FaultPoints

    /// - Parameter file: nil for a new process.
    init(_ file: SharedDescriptor?, faults: FaultPoints) throws(SystemError) {
        if let file {
            self.file = file
        } else {
            self.file = try SharedDescriptor(MemoryFile.create("output"))
        }
        taken = try MemoryFile.offset(of: self.file.raw)
        acknowledged = max(0, taken - Self.window)
        freed = 0
        self.faults = faults
    }

    var isAcknowledged: Bool { acknowledged == taken }

    /// Whether more may be taken now.
    var hasRoom: Bool { taken - acknowledged < Self.window && retryAt.map { Clock.bootNanos >= $0 } ?? true }

    /// Takes what the process has written, as far as there is room.
    /// - Returns: How many bytes.
    func take(from source: OutputSource, hungUp: Bool) -> Int {
        guard hasRoom, source.lookForBytes(hungUp: hungUp) > 0 else { return 0 }
        do throws(SystemError) {
            let room = Int(Self.window - (taken - acknowledged))
            let count = try Splice.move(from: source.pipe.raw, to: file.raw, count: room)
            taken += Int64(count)
            retryAt = nil
            faults.reach("keeper.stream.taken")
            return count
        } catch {
            if error.name == "EAGAIN" { return 0 }
            if retryAt == nil { KeeperLog.line("exec output is not taken: \(error)") }
            retryAt = Clock.bootNanos + Self.retryNanos
            return 0
        }
    }

    /// Whether a client can go on from there.
    func holds(_ position: Int64) -> Bool { acknowledged <= position && position <= taken }

    /// Bytes from `position` on; empty when there are none.
    func bytes(from position: Int64, limit: Int) throws(SystemError) -> [UInt8] {
        guard position < taken else { return [] }
        return try Files.bytes(of: file.raw, offset: position, count: min(limit, Int(taken - position)))
    }

    /// A client has everything before `position`.
    /// - Returns: false when so much was never taken.
    func acknowledge(_ position: Int64) -> Bool {
        guard position <= taken else { return false }
        guard position > acknowledged else { return true }
        acknowledged = position
        let whole = position & ~(Self.pageSize - 1)
        // A hole that was made before is no harm; memory not given back now is at the end.
        if (try? MemoryFile.free(file.raw, from: freed, upTo: whole)) != nil { freed = max(freed, whole) }
        faults.reach("keeper.stream.acknowledged")
        return true
    }
}
