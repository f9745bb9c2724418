// SPDX-License-Identifier: Apache-2.0
internal import CNGHTTP2

/// What a connection's header lists say again and again, as it was understood the first time.
///
/// A field that HPACK names by a number comes in the very buffers of the connection's table, so it is known by their
/// addresses; the cache holds a reference to each, so that they are nobody else's. Used on one event loop only.
struct HeaderCache: ~Copyable {
    private struct Entry {
        let name: OpaquePointer
        let value: OpaquePointer
        let field: KnownField
        let size: Int
    }

    private var entries: [Entry] = []
    private var next = 0
    /// Lists come with the same fields in the same order: where the next one is looked for first.
    private var expected = 0
    /// The last path, which HPACK mostly spells out, and the buffer of its field's name, which is static.
    private var lastPath = ""
    private var pathName: OpaquePointer?

    private static let limit = 12
    /// Longer values and paths are not kept: a peer would choose how much memory that is.
    private static let valueLimit = 64
    private static let pathLimit = 256

    /// The field and its size, if it came before.
    @inline(__always)
    mutating func find(_ name: OpaquePointer, _ value: OpaquePointer) -> (field: KnownField, size: Int)? {
        guard !entries.isEmpty else { return nil }
        if entries[expected].value != value || entries[expected].name != name {
            guard let index = entries.firstIndex(where: { $0.value == value && $0.name == name }) else {
                return nil
            }
            expected = index
        }
        let entry = entries[expected]
        expected = expected + 1 < entries.count ? expected + 1 : 0
        return (entry.field, entry.size)
    }

    /// Keeps a field in the place of the oldest.
    mutating func add(_ name: OpaquePointer, _ value: OpaquePointer, _ field: KnownField, size: Int) {
        guard nghttp2_rcbuf_get_buf(value).len <= Self.valueLimit else { return }
        nghttp2_rcbuf_incref(name)
        nghttp2_rcbuf_incref(value)
        let entry = Entry(name: name, value: value, field: field, size: size)
        guard entries.count == Self.limit else { return entries.append(entry) }
        Self.release(entries[next])
        entries[next] = entry
        next = (next + 1) % Self.limit
    }

    /// The path, if the field is one and the same as before.
    mutating func path(_ name: OpaquePointer, _ value: UnsafeBufferPointer<UInt8>) -> String? {
        guard name == pathName, lastPath.withUTF8({ $0.equals(value) }) else { return nil }
        return lastPath
    }

    /// A path, as a string.
    mutating func addPath(_ name: OpaquePointer, _ value: UnsafeBufferPointer<UInt8>) -> String {
        let path = String(decoding: value, as: UTF8.self)
        guard value.count <= Self.pathLimit else { return path }
        lastPath = path
        pathName = nghttp2_rcbuf_is_static(name) != 0 ? name : nil
        return path
    }

    private static func release(_ entry: Entry) {
        nghttp2_rcbuf_decref(entry.name)
        nghttp2_rcbuf_decref(entry.value)
    }

    deinit { for entry in entries { Self.release(entry) } }
}
