// SPDX-License-Identifier: Apache-2.0

/// A place in the store's journal of events; an empty journal id is the beginning of whichever there is.
package struct ImageEventPosition: Hashable, Sendable {
    package let journal: String
    package let sequence: UInt64

    package init(journal: String, sequence: UInt64) {
        self.journal = journal
        self.sequence = sequence
    }
}

/// Something that happened to an image.
package struct ImageEvent: Hashable, Sendable {
    package enum Action: String, Sendable {
        case pull, load, tag, untag, delete
    }

    package let position: ImageEventPosition
    package let action: Action
    package let imageID: String
    /// The name concerned, as users know it; the id where there is none.
    package let name: String
    package let wallUnixNanos: Int64
}
