// SPDX-License-Identifier: Apache-2.0

/// `google.protobuf.FieldMask` as the JSON mapping writes it: `user.displayName,photo`.
enum FieldMaskText {
    /// nil for what is no mask.
    static func paths(_ text: String) -> [String]? {
        guard !text.isEmpty else { return [] }
        var result: [String] = []
        for path in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard !path.isEmpty, path.utf8.allSatisfy({ isLetter($0) || $0 == UInt8(ascii: ".") }) else {
                return nil
            }
            result.append(path.map { $0.isUppercase ? "_" + $0.lowercased() : String($0) }.joined())
        }
        return result
    }

    /// nil for paths that would not come back as they are: with capital letters, or `_` before anything but a letter.
    static func text(_ paths: [String]) -> String? {
        let shown = paths.map { path -> String in
            var isAfterUnderscore = false
            return path.map { letter in
                defer { isAfterUnderscore = letter == "_" }
                return letter == "_" ? "" : isAfterUnderscore ? letter.uppercased() : String(letter)
            }.joined()
        }.joined(separator: ",")
        return self.paths(shown) == paths ? shown : nil
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
