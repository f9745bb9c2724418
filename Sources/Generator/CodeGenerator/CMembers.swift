// SPDX-License-Identifier: Apache-2.0
internal import Definitions

/// What the members of a message's C structure are called: the names of its fields and oneofs, made safe for C.
///
/// `RequestRewriter` puts these names into the definitions that protobuf-c's compiler reads, and `BridgeEmitter` uses
/// them, so both go by this type alone.
struct CMembers {
    private let fields: [Int: String]
    private let oneofs: [String]

    init(of message: MessageDefinition) {
        let fields = message.fields
        let names = fields.map { Names.cField($0.name) }
        // The compiler puts its own case on them otherwise.
        let oneofNames = message.oneofs.map { Names.lowerSnake($0.name) }
        let counts = zip(fields, names).filter(\.0.isRepeated).map { "n_" + $1 }
        let all = names + oneofNames.map { $0 + "_case" } + counts
        if Set(all).count == all.count {
            self.fields = Dictionary(zip(fields.map(\.number), names)) { first, _ in first }
            oneofs = oneofNames
        } else {
            // Two of them would be one member: `n_items` beside a repeated `items`.
            self.fields = Dictionary(fields.map { ($0.number, "field_\($0.number)") }) { first, _ in first }
            oneofs = message.oneofs.indices.map { "oneof_\($0)" }
        }
    }

    /// The member of the field with that number. A repeated one's count has the prefix `n_`.
    func field(_ number: Int) -> String { fields[number] ?? "field_\(number)" }

    /// The oneof's name. The number of the field that is set is in the member with this name and the suffix `_case`.
    func oneof(_ index: Int) -> String { oneofs.indices.contains(index) ? oneofs[index] : "oneof_\(index)" }
}
