// SPDX-License-Identifier: Apache-2.0
internal import Suite
internal import System

/// What petrel-init holds for one daemon: its listening socket, its stored descriptors and, of a process that it is not
/// the parent of, a handle to see it end.
final class ManagedDaemon {
    let definition: DaemonDefinition
    /// Bound once and kept over every restart, so that connections wait instead of being refused. Nil only after the
    /// adoption of a process whose socket could not be fetched.
    var listener: SharedDescriptor?
    var store = DescriptorStore()
    /// Of an adopted process.
    var process: SharedDescriptor?
    var startedAtWallNanos: Int64 = 0

    init(_ definition: DaemonDefinition) { self.definition = definition }

    /// Largest log that a new process goes on writing to, in bytes; a larger one is set aside, and one is kept.
    static let logLimit: Int64 = 10 << 20

    /// The daemon's standard error, at the end of its log.
    func openLog(at path: String) throws(SystemError) -> Descriptor {
        let log = try Files.open(path, [.writeOnly, .create, .append], mode: 0o640)
        guard try Files.size(of: log.raw) > Self.logLimit else { return log }
        try Files.rename(path, to: path + ".1")
        return try Files.open(path, [.writeOnly, .create, .append], mode: 0o640)
    }

    /// The child's descriptor table: log, listening socket, stored descriptors.
    func descriptors(log: Int32, listener: Int32) -> [Int32: Int32] {
        var table: [Int32: Int32] = [1: log, 2: log, 3: listener]
        for (index, entry) in store.entries.enumerated() { table[Int32(4 + index)] = entry.descriptor.raw }
        return table
    }
}
