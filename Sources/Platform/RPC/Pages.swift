// SPDX-License-Identifier: Apache-2.0
package import Messages

/// Lists in pages of about 1 MiB, since a message has a largest size and a list has none.
///
/// A page ends with a token that names its last element. The next one begins with what comes after that in the list's
/// order, so what is added or removed between two pages neither repeats nor hides anything else.
package enum Pages {
    private static let pageBytes = 1 << 20

    /// The first page of `elements`: at least one, when there is one.
    /// - Returns: Its messages, and the last one's token if others follow.
    package static func first<Element, M: Message>(
        of elements: some Collection<Element>,
        token: (Element) -> String,
        _ message: (Element) -> M
    ) -> (messages: [M], next: String) {
        var messages: [M] = []
        var bytes = 0
        var last: Element?
        for element in elements {
            let next = message(element)
            bytes += next.serialized().count
            if bytes > pageBytes, let last { return (messages, token(last)) }
            messages.append(next)
            last = element
        }
        return (messages, "")
    }

    /// Asks for one page after another until the last.
    nonisolated(nonsending) package static func all<Element, Failure: Error>(
        _ page: (_ token: String) async throws(Failure) -> (elements: [Element], next: String)
    ) async throws(Failure) -> [Element] {
        var result: [Element] = []
        var token = ""
        while true {
            let (elements, next) = try await page(token)
            result += elements
            guard !next.isEmpty, next != token else { return result }
            token = next
        }
    }
}

/// The place of an element in a list that begins with the newest; what is of the same time follows by id.
package struct NewestFirst: Hashable, Comparable, Sendable {
    package let createdAtUnixNanos: Int64
    package let id: String

    package init(createdAtUnixNanos: Int64, id: String) {
        self.createdAtUnixNanos = createdAtUnixNanos
        self.id = id
    }

    /// - Throws: `.invalidArgument` for what is no token.
    package init(token: String) throws(RPCError) {
        let parts = token.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let nanos = Int64(parts[0]) else {
            throw RPCError(.invalidArgument, "\"\(token.prefix(100))\" names no page")
        }
        self.init(createdAtUnixNanos: nanos, id: String(parts[1]))
    }

    package var token: String { "\(createdAtUnixNanos):\(id)" }

    package static func < (a: NewestFirst, b: NewestFirst) -> Bool {
        a.createdAtUnixNanos == b.createdAtUnixNanos
            ? a.id < b.id : a.createdAtUnixNanos > b.createdAtUnixNanos
    }

    /// One page of a list, in order.
    /// - Parameter token: Where the page before ended; empty for the first.
    package static func page<Element, M: Message>(
        of elements: [Element],
        after token: String,
        by place: (Element) -> NewestFirst,
        _ message: (Element) -> M
    ) throws(RPCError) -> (messages: [M], next: String) {
        var rest = elements.sorted { place($0) < place($1) }[...]
        if !token.isEmpty {
            let last = try NewestFirst(token: token)
            rest = rest.drop { !(last < place($0)) }
        }
        return Pages.first(of: rest, token: { place($0).token }, message)
    }
}
