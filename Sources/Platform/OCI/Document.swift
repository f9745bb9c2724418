// SPDX-License-Identifier: Apache-2.0
internal import JSON

/// A JSON document on its way to values, with its name and the position for error texts.
struct Document {
    let json: JSON
    let name: String
    let path: String

    /// - Throws: `.malformed` when it is too large, not JSON, or not an object.
    init(_ bytes: [UInt8], name: String, limit: Int) throws(OCIError) {
        guard bytes.count <= limit else {
            throw .malformed(document: name, "\(bytes.count) bytes are more than the limit of \(limit)")
        }
        do throws(JSONError) {
            json = try JSON(parsing: bytes)
        } catch {
            throw .malformed(document: name, "\(error)")
        }
        self.name = name
        path = ""
        guard json.object != nil else { throw .malformed(document: name, "expected an object") }
    }

    private init(_ json: JSON, name: String, path: String) {
        self.json = json
        self.name = name
        self.path = path
    }

    private func invalid(_ member: String, _ reason: String) -> OCIError {
        .invalidMember(document: name, path: path.isEmpty ? member : path + "." + member, reason)
    }

    /// A member that may be missing or null.
    func member(_ key: String) -> Document? {
        guard let value = json[key], value != .null else { return nil }
        return Document(value, name: name, path: path.isEmpty ? key : path + "." + key)
    }

    func object(_ key: String) throws(OCIError) -> Document {
        guard let member = member(key) else { throw invalid(key, "missing") }
        guard member.json.object != nil else { throw invalid(key, "expected an object") }
        return member
    }

    func optionalObject(_ key: String) throws(OCIError) -> Document? {
        guard member(key) != nil else { return nil }
        return try object(key)
    }

    func string(_ key: String) throws(OCIError) -> String {
        guard let text = try optionalString(key) else { throw invalid(key, "missing") }
        return text
    }

    func optionalString(_ key: String) throws(OCIError) -> String? {
        guard let member = member(key) else { return nil }
        guard let text = member.json.string else { throw invalid(key, "expected a string") }
        return text
    }

    func optionalInteger(_ key: String) throws(OCIError) -> Int64? {
        guard let member = member(key) else { return nil }
        guard let number = member.json.integer else { throw invalid(key, "expected an integer") }
        return number
    }

    func digest(_ key: String) throws(OCIError) -> Digest {
        let text = try string(key)
        do throws(OCIError) { return try Digest(text) } catch { throw invalid(key, "\(error)") }
    }

    /// A list whose elements are objects or anything; missing is empty.
    func elements(_ key: String, limit: Int) throws(OCIError) -> [Document] {
        guard let member = member(key) else { return [] }
        guard let array = member.json.array else { throw invalid(key, "expected an array") }
        guard array.count <= limit else { throw invalid(key, "more than \(limit) elements") }
        return array.enumerated().map { Document($1, name: name, path: "\(member.path)[\($0)]") }
    }

    /// A list of strings; nil when missing or null.
    func strings(_ key: String, limit: Int = 100_000) throws(OCIError) -> [String]? {
        guard member(key) != nil else { return nil }
        var result: [String] = []
        for element in try elements(key, limit: limit) {
            guard let text = element.json.string else {
                throw .invalidMember(document: name, path: element.path, "expected a string")
            }
            result.append(text)
        }
        return result
    }

    /// The keys of an object of which only the keys count; missing is empty.
    func keys(_ key: String) throws(OCIError) -> [String] {
        guard let member = try optionalObject(key), let object = member.json.object else { return [] }
        return Array(object.keys)
    }

    /// An object of strings; missing is empty.
    func stringMap(_ key: String) throws(OCIError) -> [String: String] {
        guard let member = try optionalObject(key) else { return [:] }
        var result: [String: String] = [:]
        for name in try keys(key) { result[name] = try member.string(name) }
        return result
    }
}
