// SPDX-License-Identifier: Apache-2.0
internal import GRDB

/// Statements that are prepared once and kept: for the short ones of a container's life, preparing takes longer than
/// running.
extension Database {
    func run(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws {
        try cachedStatement(sql: sql).execute(arguments: arguments)
    }

    func row(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws -> Row? {
        try Row.fetchOne(cachedStatement(sql: sql), arguments: arguments)
    }
}
