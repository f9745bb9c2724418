// SPDX-License-Identifier: Apache-2.0
internal import System

/// What clients have sent to a process's standard input: a memory file that the supervisor holds too, as one open file.
///
/// Its size is the number of bytes ever accepted, its offset the number delivered to the process; the kernel moves each
/// together with the bytes, so a next keeper goes on exactly there.
final class InputStage {
    /// Most bytes that are accepted and not delivered, for one client.
    static let window: Int64 = 64 << 10
    private static let pageSize: Int64 = 4096

    let file: SharedDescriptor
    /// The pipe's write end, or the terminal.
    let process: SharedDescriptor
    let isTerminal: Bool
    private(set) var accepted: Int64
    private(set) var delivered: Int64
    private var freed: Int64 = 0
    private let faults: FaultPoints

    /// - Parameter file: nil for a new process.
    init(
        _ file: SharedDescriptor?,
        process: SharedDescriptor,
        isTerminal: Bool,
        faults: FaultPoints
    ) throws(SystemError) {
        if let file { self.file = file } else { self.file = try SharedDescriptor(MemoryFile.create("input")) }
        self.process = process
        self.isTerminal = isTerminal
        self.faults = faults
        accepted = try Files.size(of: self.file.raw)
        delivered = try MemoryFile.offset(of: self.file.raw)
    }

    var isEmpty: Bool { accepted == delivered }

    /// Keeps a client's bytes.
    func accept(_ bytes: [UInt8]) throws(SystemError) {
        try Files.write(file.raw, bytes, offset: accepted)
        accepted += Int64(bytes.count)
        faults.reach("keeper.stream.accepted")
    }

    enum Delivery { case all, part, closed }

    /// Gives the process what it takes.
    func deliver() -> Delivery {
        while !isEmpty {
            do throws(SystemError) {
                let count = try MemoryFile.send(file.raw, to: process.raw, count: Int(accepted - delivered))
                if count == 0 { return .part }
                delivered += Int64(count)
                faults.reach("keeper.stream.delivered")
                free()
            } catch {
                // Otherwise the process has closed its input.
                return error.name == "EAGAIN" ? .part : .closed
            }
        }
        return .all
    }

    /// Gives pages back. What waits in the process's pipe may be these very pages, and is left alone.
    private func free() {
        let waiting = isTerminal ? 0 : (try? Splice.available(in: process.raw)) ?? Int(delivered)
        let whole = (delivered - Int64(waiting)) & ~(Self.pageSize - 1)
        guard whole > freed, (try? MemoryFile.free(file.raw, from: freed, upTo: whole)) != nil else { return }
        freed = whole
    }
}
