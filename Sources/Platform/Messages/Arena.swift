// SPDX-License-Identifier: Apache-2.0
package import CMessages

/// Memory for the C structures of one message: allocated by moving a pointer, and freed all at once.
package final class Arena {
    private var next: UnsafeMutableRawPointer
    private var end: UnsafeMutableRawPointer
    private var chunks: [UnsafeMutableRawPointer]
    private var chunkSize: Int
    private var remaining: Int
    /// Whether protobuf-c let go of a message that it had read: another took its place, or there was an error.
    private(set) var hasDroppedMessages = false

    private static let alignment = 16

    /// - Parameters:
    ///   - expected: Size of the first chunk, in bytes.
    ///   - limit: Most bytes that it ever takes for protobuf-c.
    init(expected: Int, limit: Int) {
        chunkSize = min(max(expected, 512), 1 << 20)
        remaining = limit
        next = .allocate(byteCount: chunkSize, alignment: Self.alignment)
        end = next + chunkSize
        chunks = [next]
    }

    /// For the structures of a message of so many bytes.
    ///
    /// protobuf-c makes structures out of a few bytes each; the limit bounds what a hostile message costs.
    convenience init(decoding count: Int) {
        self.init(expected: count * 3 + 512, limit: count * 64 + (1 << 20))
    }

    deinit { for chunk in chunks { chunk.deallocate() } }

    /// Uninitialised memory, aligned to 16 bytes.
    func allocate(_ size: Int) -> UnsafeMutableRawPointer {
        let rounded = (size + Self.alignment - 1) & ~(Self.alignment - 1)
        if end - next < rounded {
            chunkSize = min(chunkSize * 2, 1 << 20)
            let size = max(chunkSize, rounded)
            next = .allocate(byteCount: size, alignment: Self.alignment)
            end = next + size
            chunks.append(next)
        }
        defer { next += rounded }
        return next
    }

    // MARK: - For protobuf-c

    /// Valid as long as the arena; freeing does nothing but take note.
    var allocator: ProtobufCAllocator {
        ProtobufCAllocator(
            alloc: { data, size in
                guard let data else { return nil }
                return Unmanaged<Arena>.fromOpaque(data).takeUnretainedValue().allocateWithinLimit(size)
            },
            free: { data, memory in
                guard let data, let memory else { return }
                // A message's first member points to its descriptor, and is cleared before the message is freed. Of
                // anything else that begins with a zero we only take a needless second look.
                if memory.load(as: UInt.self) == 0 {
                    Unmanaged<Arena>.fromOpaque(data).takeUnretainedValue().hasDroppedMessages = true
                }
            },
            allocator_data: Unmanaged.passUnretained(self).toOpaque()
        )
    }

    private func allocateWithinLimit(_ size: Int) -> UnsafeMutableRawPointer? {
        guard size >= 0, size <= remaining else { return nil }
        remaining -= size
        return allocate(size)
    }

    // MARK: - For generated code

    /// The text's UTF-8 bytes.
    package func text(_ text: String) -> ProtobufCBinaryData {
        var text = text
        return text.withUTF8 { copy(UnsafeRawBufferPointer($0)) }
    }

    /// A copy of `bytes`.
    package func bytes(_ bytes: [UInt8]) -> ProtobufCBinaryData { bytes.withUnsafeBytes { copy($0) } }

    private func copy(_ bytes: UnsafeRawBufferPointer) -> ProtobufCBinaryData {
        guard let source = bytes.baseAddress, bytes.count > 0 else {
            return ProtobufCBinaryData(len: 0, data: nil)
        }
        let target = allocate(bytes.count)
        target.copyMemory(from: source, byteCount: bytes.count)
        return ProtobufCBinaryData(len: bytes.count, data: target.assumingMemoryBound(to: UInt8.self))
    }

    /// The message's structure; nil for none.
    package func message<M: BridgedMessage>(_ message: M?) -> UnsafeMutablePointer<M.Bridge>? {
        guard let message else { return nil }
        let c = allocate(MemoryLayout<M.Bridge>.size).bindMemory(to: M.Bridge.self, capacity: 1)
        M.initialize(c)
        message.encode(into: c, self)
        return c
    }

    /// An array with what `encode` makes of each value; nil when empty.
    package func array<Value, C>(_ values: [Value], _ encode: (Value) -> C) -> UnsafeMutablePointer<C>? {
        guard !values.isEmpty else { return nil }
        let result = allocate(MemoryLayout<C>.stride * values.count).bindMemory(
            to: C.self,
            capacity: values.count
        )
        for (index, value) in values.enumerated() { (result + index).initialize(to: encode(value)) }
        return result
    }

    /// The entries of a map, initialised by `initialize` and filled by `encode`.
    package func map<Key, Value, Entry>(
        _ values: [Key: Value],
        _ initialize: (UnsafeMutablePointer<Entry>) -> Void,
        _ encode: (UnsafeMutablePointer<Entry>, Key, Value) -> Void
    ) -> UnsafeMutablePointer<UnsafeMutablePointer<Entry>?>? {
        guard !values.isEmpty else { return nil }
        let stride = MemoryLayout<UnsafeMutablePointer<Entry>?>.stride
        let result = allocate(stride * values.count)
            .bindMemory(to: UnsafeMutablePointer<Entry>?.self, capacity: values.count)
        for (index, value) in values.enumerated() {
            let entry = allocate(MemoryLayout<Entry>.size).bindMemory(to: Entry.self, capacity: 1)
            initialize(entry)
            encode(entry, value.key, value.value)
            (result + index).initialize(to: entry)
        }
        return result
    }

    /// Puts unknown fields back: protobuf-c writes a tag and then, as they are, the bytes after it, so one record
    /// carries them all.
    package func keep(_ unknownFields: [UInt8], in base: inout ProtobufCMessage) {
        guard !unknownFields.isEmpty else { return }
        var tag: UInt64 = 0
        var length = 0
        for byte in unknownFields.prefix(5) {
            tag |= UInt64(byte & 0x7f) << UInt64(7 * length)
            length += 1
            if byte < 0x80 { break }
        }
        guard tag >> 3 > 0, tag <= UInt64(UInt32.max), unknownFields[length - 1] < 0x80 else { return }
        let rest = unknownFields.dropFirst(length).withUnsafeBytes { copy($0) }
        let field = allocate(MemoryLayout<ProtobufCMessageUnknownField>.size)
            .bindMemory(to: ProtobufCMessageUnknownField.self, capacity: 1)
        field.initialize(
            to: ProtobufCMessageUnknownField(
                tag: UInt32(tag >> 3),
                wire_type: ProtobufCWireType(rawValue: UInt32(tag & 7)),
                len: rest.len,
                data: rest.data
            )
        )
        base.n_unknown_fields = 1
        base.unknown_fields = field
    }
}
