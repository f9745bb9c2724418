// SPDX-License-Identifier: Apache-2.0

/// Messages in order, first in, first out. One alone, as most calls have it, needs no memory of its own.
struct MessageQueue {
    private(set) var first: WireMessage?
    /// Nil where there never were any, as mostly.
    private var others: [WireMessage]?
    /// How many of the others have become the first.
    private var taken = 0

    private static let keptTaken = 64

    var isEmpty: Bool { first == nil }

    var count: Int { first == nil ? 0 : 1 + (others?.count ?? 0) - taken }

    mutating func append(_ message: WireMessage) {
        guard first != nil else {
            first = message
            return
        }
        if others == nil { others = [] }
        others?.append(message)
    }

    mutating func removeFirst() -> WireMessage? {
        guard let message = first else { return nil }
        first = takeOther()
        return message
    }

    private mutating func takeOther() -> WireMessage? {
        guard var list = others.take() else { return nil }
        defer { others = list }
        guard taken < list.count else { return nil }
        let message = list[taken]
        list[taken].bytes = []
        taken += 1
        if taken == list.count {
            list.removeAll(keepingCapacity: true)
            taken = 0
        } else if taken >= Self.keptTaken {
            list.removeFirst(taken)
            taken = 0
        }
        return message
    }

    /// The sum of what `size` says of each.
    func total(_ size: (WireMessage) -> Int) -> Int {
        (others?[taken...] ?? []).reduce(first.map(size) ?? 0) { $0 + size($1) }
    }
}
