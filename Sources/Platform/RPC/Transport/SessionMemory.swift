// SPDX-License-Identifier: Apache-2.0
internal import CNGHTTP2
internal import Events

/// Memory for nghttp2's sessions, which takes and gives back the same few sizes for every stream: what is given back is kept for
/// the next one, up to a bound. The C library keeps seven of a size at hand, and a read brings more streams than that.
///
/// On the event loop only. It owns what it keeps, for the life of the process.
struct SessionMemory {
    /// What stands before memory that is lent, and in memory that is kept.
    private struct Header {
        /// Without the header.
        let size: Int
        /// Where it goes when it is given back, and then what lies there below it; nil: nowhere.
        var link: UnsafeMutableRawPointer?
    }

    /// What is kept of one size.
    private struct Shelf {
        var first: UnsafeMutablePointer<Header>?
        /// How many more it takes.
        var room: Int
    }

    /// Of each size: multiples of the step.
    private let shelves: UnsafeMutablePointer<Shelf>

    private static let step = 32
    private static let classes = 16
    /// As much of each size as the streams of a few reads need, headers counted, in bytes.
    private static let shelfLimit = 16 << 10

    /// The loop's.
    nonisolated(unsafe) private static let shared: UnsafeMutablePointer<Shelf> = {
        let shelves = UnsafeMutablePointer<Shelf>.allocate(capacity: classes)
        for index in 0..<classes {
            let size = (index + 1) * step + MemoryLayout<Header>.size
            (shelves + index).initialize(to: Shelf(room: shelfLimit / size))
        }
        return shelves
    }()

    /// What a session is to be made with; nghttp2 copies it.
    static var functions: nghttp2_mem {
        nghttp2_mem(
            mem_user_data: shared,
            malloc: { size, memory in SessionMemory.of(memory) { $0.take(size) } },
            free: { lent, memory in SessionMemory.of(memory) { $0.giveBack(lent) } },
            calloc: { count, size, memory in
                let (total, overflow) = count.multipliedReportingOverflow(by: size)
                guard !overflow else { return nil }
                return SessionMemory.of(memory) { memory in
                    let taken = memory.take(total)
                    taken.initializeMemory(as: UInt8.self, repeating: 0, count: total)
                    return taken
                }
            },
            realloc: { lent, size, memory in SessionMemory.of(memory) { $0.resize(lent, size) } }
        )
    }

    private static func of<Result>(
        _ memory: UnsafeMutableRawPointer?,
        _ body: (SessionMemory) -> Result
    ) -> Result {
        guard let memory else { preconditionFailure("nghttp2 was given memory") }
        return body(SessionMemory(shelves: memory.assumingMemoryBound(to: Shelf.self)))
    }

    private func take(_ size: Int) -> UnsafeMutableRawPointer {
        assert(EventLoop.shared.isCurrent)
        let index = max(size - 1, 0) / Self.step
        guard index < Self.classes else { return Self.make(size, for: nil) }
        let shelf = shelves + index
        guard let header = shelf.pointee.first else { return Self.make((index + 1) * Self.step, for: shelf) }
        shelf.pointee.first = header.pointee.link?.assumingMemoryBound(to: Header.self)
        shelf.pointee.room += 1
        header.pointee.link = UnsafeMutableRawPointer(shelf)
        return UnsafeMutableRawPointer(header + 1)
    }

    @inline(never)
    private static func make(_ size: Int, for shelf: UnsafeMutablePointer<Shelf>?) -> UnsafeMutableRawPointer
    {
        let raw = UnsafeMutableRawPointer.allocate(
            byteCount: MemoryLayout<Header>.size + size,
            alignment: 16
        )
        let header = raw.initializeMemory(
            as: Header.self,
            to: Header(size: size, link: shelf.map { UnsafeMutableRawPointer($0) })
        )
        return UnsafeMutableRawPointer(header + 1)
    }

    private func giveBack(_ lent: UnsafeMutableRawPointer?) {
        assert(EventLoop.shared.isCurrent)
        guard let lent else { return }
        let header = Self.header(of: lent)
        guard let shelf = header.pointee.link?.assumingMemoryBound(to: Shelf.self), shelf.pointee.room > 0
        else { return header.deallocate() }
        header.pointee.link = shelf.pointee.first.map { UnsafeMutableRawPointer($0) }
        shelf.pointee.first = header
        shelf.pointee.room -= 1
    }

    private func resize(_ lent: UnsafeMutableRawPointer?, _ size: Int) -> UnsafeMutableRawPointer {
        guard let lent else { return take(size) }
        let present = Self.header(of: lent).pointee.size
        guard size > present else { return lent }
        let new = take(size)
        new.copyMemory(from: lent, byteCount: present)
        giveBack(lent)
        return new
    }

    private static func header(of lent: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Header> {
        lent.assumingMemoryBound(to: Header.self) - 1
    }
}
