// SPDX-License-Identifier: Apache-2.0
package import JSON

/// A JSON object as indented `Name: value` lines for people.
package enum Outline {
    /// `ServerVersion` becomes `Server Version`. What is empty is left out.
    /// - Parameters:
    ///   - labels: What some are called instead.
    ///   - sizes: Whose numbers are bytes.
    package static func lines(
        of document: JSON,
        labels: [String: String] = [:],
        sizes: Set<String> = [],
        indent: Int = 0
    ) -> [String] {
        guard let object = document.object else { return [] }
        let space = String(repeating: " ", count: indent)
        return object.flatMap { (name, value) -> [String] in
            let label = space + (labels[name] ?? title(name))
            switch value {
            case .object(let inner):
                guard !inner.isEmpty else { return [] }
                return ["\(label):"] + lines(of: value, labels: labels, sizes: sizes, indent: indent + 1)
            case .array(let elements):
                let texts = elements.compactMap(scalar)
                return texts.isEmpty ? [] : ["\(label): \(texts.joined(separator: " "))"]
            case .integer(let bytes) where sizes.contains(name) && bytes >= 0:
                return ["\(label): \(HumanSize.binary(UInt64(bytes)))"]
            default:
                guard let text = scalar(value), !text.isEmpty else { return [] }
                return ["\(label): \(text)"]
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
