// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// eventfd(2): wakes a thread that watches it. It is ready to be read while it was signalled and not cleared.
package struct EventCounter: ~Copyable, Sendable {
    private let descriptor: Descriptor

    package init() throws(SystemError) {
        // EFD_CLOEXEC and EFD_NONBLOCK are these.
        let raw = petrel_eventfd(O_CLOEXEC | O_NONBLOCK)
        guard raw >= 0 else { throw SystemError("eventfd", code: errno) }
        descriptor = Descriptor(adopting: raw)
    }

    /// What is to be watched.
    package var raw: Int32 { descriptor.raw }

    /// Never waits: a counter that is full has been signalled.
    package func signal() {
        var one: UInt64 = 1
        _ = Glibc.write(raw, &one, MemoryLayout<UInt64>.size)
    }

    package func clear() {
        var count: UInt64 = 0
        _ = Glibc.read(raw, &count, MemoryLayout<UInt64>.size)
    }
}
