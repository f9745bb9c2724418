// SPDX-License-Identifier: Apache-2.0
internal import GRDB

extension Engine {
    /// What users are told about a journal event; nil where nobody has seen the container, or it is no user's business.
    static func told(_ db: Database, _ event: JournalEvent) throws -> EngineEvent? {
        let attributes: [String: String]
        if let (state, found) = try ContainerRow.eventAttributes(db, id: event.container) {
            guard try state != .creating || publish(db, by: event) else { return nil }
            attributes = found
        } else {
            guard let removed = try Tombstone.one(db, id: event.container), removed.name != nil else {
                return nil
            }
            attributes = removed.attributes
        }
        let exec = try ExecRow.one(db, id: event.exec, of: event.container)
        let command = exec?.settings.command.joined(separator: " ") ?? ""
        return EngineEvent(event, attributes: attributes, execCommand: command)
    }
}
