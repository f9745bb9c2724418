// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// What this process holds of its own program, and of memory that it has no use for.
package enum ProgramMemory {
    /// How often this process has touched a page that was not mapped for it, though no disk was needed. The kernel brings in
    /// up to 16 pages of a file each time, one of other memory.
    /// - Source: getrusage(2), `ru_minflt`.
    package static var faults: Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_minflt
    }

    /// Gives pages back that the allocator keeps for later. Takes microseconds for a small program.
    /// - Source: malloc_trim(3).
    package static func releaseFree() { petrel_release_free_memory() }

    /// Takes what is free between blocks that are in use, for ever: what is allocated from now on lies together, on pages
    /// where nothing else is. For a program before it is copied: a copy writes to few of the pages that it shares.
    package static func closeGaps() {
        releaseFree()
        // Above everything that is there, as it is larger than any gap that is left.
        guard let mark = malloc(largestGap) else { return }
        for size in stride(from: largestGap / 2, to: 0, by: -16) {
            while let block = malloc(size) {
                guard UInt(bitPattern: block) > UInt(bitPattern: mark) else { continue }
                free(block)
                break
            }
        }
        free(mark)
        releaseFree()
    }

    private static let largestGap = 64 << 10

    /// A line of the environment with which a program gives back all that `releaseFree` can, at the price of slower
    /// allocation: by default some freed blocks of each size are kept for their thread, and each keeps its page.
    /// - Source: mallopt(3); glibc manual, memory allocation tunables.
    package static let keepingNothing = "GLIBC_TUNABLES=glibc.malloc.tcache_count=0"

    /// From now on the allocator keeps up to 8 MiB that are free at the end of a heap, and takes blocks of less than 4 MiB
    /// from heaps. Left to itself it gives back 128 KiB at a time, which a program that moves large messages needs again at
    /// once: a page fault for every 4 KiB of them.
    /// - Source: mallopt(3), `M_TRIM_THRESHOLD`, `M_MMAP_THRESHOLD`.
    package static func keepFree() { petrel_keep_free_memory(8 << 20, 4 << 20) }

    /// From now on all threads allocate from `count` heaps. Left to itself the allocator makes one for each thread, up to
    /// eight for each processor, and what is free in one is of no use to the others.
    /// - Source: mallopt(3), `M_ARENA_MAX`.
    package static func shareHeaps(_ count: Int32) { petrel_share_heaps(count) }

    /// Lets go of the main thread's stack below the caller, where deeper calls have been.
    /// - Returns: Bytes of address space that were let go of; 0 on any other thread, and where `/proc` does not tell the mapping.
    @discardableResult
    package static func releaseStack() -> Int {
        guard let maps = try? Files.text(of: "/proc/self/maps"),
            let line = maps.split(separator: "\n").last(where: { $0.hasSuffix("[stack]") })
        else { return 0 }
        let range = line.prefix { $0 != " " }.split(separator: "-").map { UInt($0, radix: 16) ?? 0 }
        let frame = petrel_frame_address()
        guard range.count == 2, range[0] > 0, frame < range[1] else { return 0 }
        // What is being called now needs less than this below the frame.
        let end = (frame - (4 << 10)) & ~4095
        guard end > range[0], let start = UnsafeMutableRawPointer(bitPattern: range[0]),
            madvise(start, Int(end - range[0]), MADV_DONTNEED) == 0
        else { return 0 }
        return Int(end - range[0])
    }

    /// Lets go of every page of the program's code. Those that are needed come back from the page cache one by one, without
    /// reading a disk; what only the start needed does not.
    ///
    /// Only read-only, executable mappings of the program's file are touched: what was ever written is elsewhere.
    /// - Returns: Bytes of address space that were let go of; 0 where `/proc` does not tell the mappings.
    /// - Source: madvise(2), `MADV_DONTNEED` of a private file mapping.
    @discardableResult
    package static func releaseCode() -> Int {
        guard let program = try? Files.link(at: "/proc/self/exe"),
            let maps = try? Files.text(of: "/proc/self/maps")
        else { return 0 }
        var released = 0
        for line in maps.split(separator: "\n") {
            guard let mapping = CodeMapping(line, of: program) else { continue }
            let start = UnsafeMutableRawPointer(bitPattern: mapping.start)
            if madvise(start, mapping.bytes, MADV_DONTNEED) == 0 { released += mapping.bytes }
        }
        return released
    }
}

/// A line of `/proc/PID/maps` that says where code of a file is.
package struct CodeMapping: Hashable, Sendable {
    package let start: UInt
    package let bytes: Int

    /// - Returns: nil for mappings of other files, and for those that may be written.
    package init?(_ line: some StringProtocol, of program: String) {
        let fields = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
        guard fields.count == 6, fields[1] == "r-xp",
            fields[5].drop(while: { $0 == " " }) == program
        else { return nil }
        let range = fields[0].split(separator: "-")
        guard range.count == 2, let start = UInt(range[0], radix: 16), let end = UInt(range[1], radix: 16),
            start > 0, end > start, end - start <= Int.max
        else { return nil }
        self.start = start
        bytes = Int(end - start)
    }
}
