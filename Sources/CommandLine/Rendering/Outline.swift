// SPDX-License-Identifier: Apache-2.0
package import JSON

/// A JSON object as indented `Name: value` lines for people.
package enum Outline {
    /// `ServerVersion` becomes `Server Version`. What is empty is left out.
    package static func lines(of document: JSON, indent: Int = 0) -> [String] {
        guard let object = document.object else { return [] }
        let space = String(repeating: " ", count: indent)
        return object.flatMap { (name, value) -> [String] in
            switch value {
            case .object(let inner):
                return inner.isEmpty ? [] : ["\(space)\(title(name)):"] + lines(of: value, indent: indent + 1)
            case .array(let elements):
                let texts = elements.compactMap(scalar)
                return texts.isEmpty ? [] : ["\(space)\(title(name)): \(texts.joined(separator: " "))"]
            default:
                guard let text = scalar(value), !text.isEmpty else { return [] }
                return ["\(space)\(title(name)): \(text)"]
            }
        }
    }

    private static func scalar(_ value: JSON) -> String? {
        switch value {
        case .string(let text): text
        case .integer(let number): String(number)
        case .double(let number): String(number)
        case .bool(let flag): String(flag)
        case .null, .array, .object: nil
        }
    }

    /// A space before each capital letter that begins a word.
    static func title(_ name: String) -> String {
        let letters = Array(name)
        var text = ""
        for (index, letter) in letters.enumerated() {
            let previous = index > 0 ? letters[index - 1] : " "
            let next = index + 1 < letters.count ? letters[index + 1] : "A"
            if index > 0, letter.isUppercase,
                previous.isLowercase || (previous.isUppercase && next.isLowercase)
            {
                text += " "
            }
            text.append(letter)
        }
        return text
    }
}
