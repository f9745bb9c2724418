// SPDX-License-Identifier: Apache-2.0
package import JSON

/// What one probe found.
package struct Finding: Hashable, Sendable {
    package enum State: String, Sendable {
        /// All is as it should be.
        case ok
        /// Petrel works, but something is not possible.
        case limited
        /// Petrel does not work here.
        case missing
    }

    package var name: String
    package var state: State
    /// What was found.
    package var detail: String
    /// What follows from it, and what to do; empty when all is well.
    package var consequence: String

    package init(_ name: String, _ state: State, _ detail: String, _ consequence: String = "") {
        self.name = name
        self.state = state
        self.detail = detail
        self.consequence = consequence
    }

    package init?(_ json: JSON) {
        guard let name = json["name"]?.string,
            let state = json["state"]?.string.flatMap(State.init),
            let detail = json["detail"]?.string
        else { return nil }
        self.init(name, state, detail, json["consequence"]?.string ?? "")
    }

    package var json: JSON {
        [
            "name": .string(name), "state": .string(state.rawValue), "detail": .string(detail),
            "consequence": .string(consequence),
        ]
    }
}

extension Finding {
    /// One that is ok, or the worse state with its consequence.
    init(_ name: String, _ isRight: Bool, _ detail: String, else state: State, _ consequence: String) {
        self.init(name, isRight ? .ok : state, detail, isRight ? "" : consequence)
    }
}
