// SPDX-License-Identifier: Apache-2.0
internal import GRDB

extension Engine {
    /// A generated name that nobody has; looked for and taken in one transaction.
    static func unusedName(_ db: Database) throws -> String {
        var generator = SystemRandomNumberGenerator()
        for attempt in 0..<64 {
            let name = ContainerName.generated(attempt: attempt, using: &generator).text
            if try ContainerRow.holder(db, of: name) == nil { return name }
        }
        throw EngineError.invalidField(
            "name",
            "no unused name was found in 64 attempts",
            advice: "give one with --name"
        )
    }
}
