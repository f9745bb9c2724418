// SPDX-License-Identifier: Apache-2.0
internal import Foundation
internal import JSON

/// Values in a column, as JSON text.
enum StoredJSON {
    static func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    static func value<Value: Decodable>(_ type: Value.Type, of text: String) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(text.utf8))
        } catch {
            throw EngineError.database("a stored \(type) cannot be read: \(error)")
        }
    }

    // What events have, of which a container's life has many, takes a tenth of the time so.

    static func text(_ value: [String: String]) -> String {
        let members = value.sorted { $0.key < $1.key }.map { ($0.key, JSON.string($0.value)) }
        return JSON.object(JSON.Object(members)).serializedText()
    }

    static func value(_ type: [String: String].Type, of text: String) throws -> [String: String] {
        if text == "{}" { return [:] }
        // Of any size: it was taken once.
        let object = (try? JSON(parsing: Array(text.utf8), maximumSize: .max))?.object
        var values: [String: String] = [:]
        for (key, value) in object ?? [:] { values[key] = value.string }
        guard let object, values.count == object.count else {
            throw EngineError.database("a stored \(type) cannot be read")
        }
        return values
    }
}
