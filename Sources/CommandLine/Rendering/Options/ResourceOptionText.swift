// SPDX-License-Identifier: Apache-2.0

/// The value of `--device`: `/here[:/there][:rwm]`.
package struct DeviceOption: Hashable, Sendable {
    package let source: String
    package let target: String
    package let permissions: String

    package init(_ text: String) throws(Failure) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        func isMode(_ text: String) -> Bool { !text.isEmpty && text.allSatisfy { "rwm".contains($0) } }
        guard 1...3 ~= parts.count, parts[0].hasPrefix("/"), parts.count < 3 || isMode(parts[2]) else {
            throw Failure(
                "--device '\(text)'",
                "is no device",
                advice: "write /dev/here, /dev/here:/dev/there or /dev/here:/dev/there:rw",
                exitCode: 125
            )
        }
        source = parts[0]
        let second = parts.count > 1 ? parts[1] : ""
        let secondIsMode = parts.count == 2 && isMode(second)
        target = second.isEmpty || secondIsMode ? source : second
        permissions = parts.count == 3 ? parts[2] : secondIsMode ? second : "rwm"
    }
}

/// The value of `--ulimit`: `nofile=1024[:2048]`; -1 is without limit.
package struct UlimitOption: Hashable, Sendable {
    package let name: String
    package let soft: Int64
    package let hard: Int64

    package init(_ text: String) throws(Failure) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init
        )
        let values = parts.count == 2 ? parts[1].split(separator: ":", omittingEmptySubsequences: false) : []
        let numbers = values.compactMap { Int64($0) }.filter { $0 >= -1 }
        guard 1...2 ~= values.count, numbers.count == values.count, !parts[0].isEmpty else {
            throw Failure(
                "--ulimit '\(text)'",
                "invalid ulimit argument",
                advice: "write nofile=1024 or nofile=1024:2048",
                exitCode: 125
            )
        }
        name = parts[0]
        soft = numbers[0]
        hard = numbers[numbers.count - 1]
    }
}

/// The values of `--device-read-bps` and its kin: `/dev/disk:10m`, `/dev/disk:100`.
package struct DeviceRateOption: Hashable, Sendable {
    package let path: String
    package let rate: UInt64

    /// - Parameter isBytes: The rate is a size; otherwise it counts operations.
    package init(_ text: String, option: String, isBytes: Bool) throws(Failure) {
        let mark = text.lastIndex(of: ":") ?? text.endIndex
        let value = mark == text.endIndex ? "" : String(text[text.index(after: mark)...])
        guard text.hasPrefix("/"), let rate = isBytes ? HumanSize.bytes(value) : UInt64(value) else {
            throw Failure(
                "\(option) '\(text)'",
                "invalid rate for a device",
                advice: isBytes ? "write /dev/disk:10m" : "write /dev/disk:100",
                exitCode: 125
            )
        }
        path = String(text[..<mark])
        self.rate = rate
    }
}

/// Sizes that may be -1: without limit.
package enum LimitText {
    /// - Throws: for what is neither a size nor -1.
    package static func bytes(_ text: String, option: String) throws(Failure) -> Int64 {
        if text == "-1" { return -1 }
        guard let bytes = HumanSize.bytes(text) else {
            throw Failure("\(option) '\(text)'", "is no size", advice: "write 512m or 2g", exitCode: 125)
        }
        return Int64(clamping: bytes)
    }
}

/// Options of the form `name=value`.
package enum PairText {
    /// - Throws: for an entry without a name, or (where one is needed) without a value.
    package static func pairs(_ texts: [String], option: String, needsValue: Bool = true) throws(Failure)
        -> [String: String]
    {
        var result: [String: String] = [:]
        for text in texts {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
                String.init
            )
            guard !parts[0].isEmpty, parts.count == 2 || !needsValue else {
                throw Failure("\(option) '\(text)'", "is not of the form name=value", exitCode: 125)
            }
            result[parts[0]] = parts.count == 2 ? parts[1] : ""
        }
        return result
    }
}
