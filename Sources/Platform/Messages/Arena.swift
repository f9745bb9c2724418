// SPDX-License-Identifier: Apache-2.0
internal import CMessages
internal import Synchronization

/// Memory for the C structures of one message: allocated by moving a pointer, and freed all at once.
struct Arena: ~Copyable {
    private var next: UnsafeMutableRawPointer
    private var end: UnsafeMutableRawPointer
    /// The newest chunk. Each begins with a pointer to the one before it.
    private var chunk: UnsafeMutableRawPointer
    private var total: Int
    private var remaining: Int
    /// The oldest chunk has the usual size.
    private let isSmall: Bool
    /// Whether protobuf-c let go of a message that it had read: another took its place, or there was an error.
    private(set) var hasDroppedMessages = false

    private static let alignment = MemoryLayout<UInt64>.alignment
    private static let smallChunk = 1024
    /// A chunk of that size, kept for the next message: most need no other.
    nonisolated(unsafe) private static let spare = Atomic<UnsafeMutableRawPointer?>(nil)

    /// For the structures of a message of so many bytes.
    ///
    /// protobuf-c makes structures out of a few bytes each; the limit bounds what a hostile message costs.
    init(decoding count: Int) {
        remaining = count * 64 + (1 << 20)
        isSmall = count <= 1024
        total = isSmall ? Self.smallChunk : min(count * 3, 1 << 20)
        let kept = isSmall ? Self.spare.exchange(nil, ordering: .acquiring) : nil
        chunk = kept ?? .allocate(byteCount: total, alignment: Self.alignment)
        chunk.storeBytes(of: nil, as: UnsafeMutableRawPointer?.self)
        next = chunk + Self.alignment
        end = chunk + total
    }

    deinit {
        var oldest = chunk
        while let older = oldest.load(as: UnsafeMutableRawPointer?.self) {
            oldest.deallocate()
            oldest = older
        }
        let isKept =
            isSmall
            && Self.spare.compareExchange(expected: nil, desired: oldest, ordering: .releasing).exchanged
        if !isKept { oldest.deallocate() }
    }

    /// The message's structure, which lives as long as the arena; nil for what protobuf-c refuses.
    mutating func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>
    ) -> UnsafeRawPointer? {
        withUnsafeMutablePointer(to: &self) { arena in
            var allocator = ProtobufCAllocator(
                alloc: { data, size in
                    data?.assumingMemoryBound(to: Arena.self).pointee.allocate(size)
                },
                free: { data, memory in
                    // A message's first member points to its descriptor, and is cleared before the message is freed.
                    // Of anything else that begins with a zero we only take a needless second look.
                    guard let data, memory?.load(as: UInt.self) == 0 else { return }
                    data.assumingMemoryBound(to: Arena.self).pointee.hasDroppedMessages = true
                },
                allocator_data: arena
            )
            return protobuf_c_message_unpack(descriptor, &allocator, bytes.count, bytes.baseAddress)
                .map { UnsafeRawPointer($0) }
        }
    }

    /// Uninitialised memory, aligned for any member of a structure; nil beyond the limit.
    private mutating func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
        if size < 0 || size > (end - next) &- Self.alignment {
            // What was used of a chunk counts when it is full.
            remaining -= next - chunk
            guard size >= 0, size <= remaining else { return nil }
            grow(for: size)
        }
        let memory = next
        next = memory + ((size &+ (Self.alignment - 1)) & ~(Self.alignment - 1))
        return memory
    }

    @inline(never)
    private mutating func grow(for size: Int) {
        let usual = total < 4 * Self.smallChunk ? Self.smallChunk : min(total, 1 << 20)
        let size = max(usual, size + 2 * Self.alignment)
        let new = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: Self.alignment)
        new.storeBytes(of: chunk, as: UnsafeMutableRawPointer?.self)
        total += size
        chunk = new
        next = new + Self.alignment
        end = new + size
    }
}
