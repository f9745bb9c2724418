// SPDX-License-Identifier: Apache-2.0
internal import OCI
internal import Synchronization

/// What operations in progress use or are about to use, so that garbage collection leaves it alone.
///
/// An operation pins first and looks into the catalogue afterwards; the collector looks at the pins in the transaction
/// in which it forgets an object. So either the collector sees the pin, or the operation sees that the object is gone.
final class Pins: Sendable {
    private let counts = Mutex<[String: Int]>([:])

    /// Pins that end with the scope of `body`.
    func whileHolding<R>(_ body: (PinHolder) async throws -> R) async rethrows -> R {
        let holder = PinHolder(self)
        defer { holder.release() }
        return try await body(holder)
    }

    var pinned: Set<String> { counts.withLock { Set($0.keys) } }

    fileprivate func add(_ key: String) { counts.withLock { $0[key, default: 0] += 1 } }

    fileprivate func remove(_ keys: [String]) {
        counts.withLock { counts in
            for key in keys {
                let left = (counts[key] ?? 1) - 1
                counts[key] = left > 0 ? left : nil
            }
        }
    }
}

/// One operation's pins.
final class PinHolder: Sendable {
    private let pins: Pins
    private let keys = Mutex<[String]>([])

    fileprivate init(_ pins: Pins) { self.pins = pins }

    func pin(blob: Digest) { pin(PinKey.blob(blob.hex)) }
    func pin(layer: ChainID) { pin(PinKey.layer(layer.digest.hex)) }
    func pin(image: Digest) { pin(PinKey.image(image.hex)) }

    private func pin(_ key: String) {
        keys.withLock { $0.append(key) }
        pins.add(key)
    }

    fileprivate func release() { pins.remove(keys.withLock { $0.consume() }) }
}

enum PinKey {
    static func blob(_ hex: String) -> String { "blob " + hex }
    static func layer(_ hex: String) -> String { "layer " + hex }
    static func image(_ hex: String) -> String { "image " + hex }
}

extension Array {
    /// Takes all elements out.
    fileprivate mutating func consume() -> [Element] {
        defer { self = [] }
        return self
    }
}
