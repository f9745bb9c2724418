// SPDX-License-Identifier: Apache-2.0

/// How a container's output is kept: what `--log-driver` and `--log-opt` mean for its spool.
///
/// `local` and `json-file` are the spool. `none` keeps the little that those who are attached need, and `logs` refuses it.
struct LogPlan: Hashable {
    let driver: String
    let output: OutputOrder

    /// Whether `logs` may read it.
    var isReadable: Bool { driver != "none" }

    private static let drivers = ["local", "json-file", "none"]
    private static let known: Set<String> = [
        "max-size", "max-file", "mode", "max-buffer-size", "labels", "env", "tag", "compress",
    ]
    /// For `none`: what has not been read by then was nobody's. A segment holds what is on its way to a reader (`HeldOutput`).
    private static let ring = (segmentBytes: UInt64(2 << 20), segments: UInt32(2))

    /// - Throws: `.invalidField` for a driver or option that is not known, or a value that cannot be meant.
    init(_ log: ContainerSettings.Log) throws(EngineError) {
        driver = log.driver.isEmpty ? "local" : log.driver
        guard LogPlan.drivers.contains(driver) else {
            throw .invalidField(
                "log driver",
                "logger: no log driver named '\(log.driver)' is registered",
                advice: "use local, json-file or none"
            )
        }
        for name in log.options.keys.sorted() where !LogPlan.known.contains(name) {
            throw .invalidField(
                "log option",
                "unknown log opt '\(name)' for \(driver) log driver",
                advice: "use max-size, max-file, mode, max-buffer-size, labels, env, tag or compress"
            )
        }
        if let tag = log.options["tag"] { _ = try LogTag(tag) }
        if let text = log.options["compress"], !["true", "false", "1", "0"].contains(text) {
            throw .invalidField(
                "log option",
                "invalid value for compress: \(text)",
                advice: "use true or false"
            )
        }
        let drops = try LogPlan.dropsWhenFull(log.options)
        let size = try log.options["max-size"].map { text throws(EngineError) in
            try LogPlan.size(text, of: "max-size")
        }
        let files = try log.options["max-file"].map { text throws(EngineError) in
            guard let count = UInt32(text), 1...1000 ~= count else {
                throw .invalidField("log option", "max-file must be from 1 to 1000, not \(text)")
            }
            return count
        }
        guard driver != "none" else {
            output = OutputOrder(
                segmentBytes: LogPlan.ring.segmentBytes,
                segments: LogPlan.ring.segments,
                dropsWhenFull: true
            )
            return
        }
        // A single file is two halves: the older one goes when the newer one is full.
        let isSingle = files == 1
        output = OutputOrder(
            segmentBytes: isSingle ? (size ?? 64 << 20) / 2 : size ?? 0,
            segments: isSingle ? 2 : files ?? 0,
            dropsWhenFull: drops
        )
    }

    private static func dropsWhenFull(_ options: [String: String]) throws(EngineError) -> Bool {
        let mode = options["mode"] ?? "blocking"
        guard ["blocking", "non-blocking"].contains(mode) else {
            let text = "logger: logging mode not supported: \(mode)"
            throw .invalidField("log option", text, advice: "use blocking or non-blocking")
        }
        if let text = options["max-buffer-size"] {
            guard mode == "non-blocking" else {
                let text = "logger: max-buffer-size option is only supported with 'mode=non-blocking'"
                throw .invalidField("log option", text)
            }
            _ = try size(text, of: "max-buffer-size")
        }
        return mode == "non-blocking"
    }

    /// `10m`, `1g`, `4096`: units of 1024.
    private static func size(_ text: String, of name: String) throws(EngineError) -> UInt64 {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        var unit = text[digits.endIndex...].lowercased()
        if unit.hasSuffix("ib") { unit.removeLast(2) } else if unit.hasSuffix("b") { unit.removeLast() }
        let shifts: [String: UInt64] = ["": 0, "k": 10, "m": 20, "g": 30, "t": 40]
        guard let shift = shifts[unit], let number = UInt64(digits), number > 0,
            number <= UInt64.max >> (shift + 1)
        else { throw .invalidField("log option", "invalid value for \(name): \(text)", advice: "write 10m") }
        return number << shift
    }
}

/// How the supervisor is to keep output; 0: its default.
package struct OutputOrder: Hashable, Sendable {
    package var segmentBytes: UInt64 = 0
    package var segments: UInt32 = 0
    package var dropsWhenFull = false
    /// Who starts it wants all of its first run's output.
    package var expectsReader = false

    package init(segmentBytes: UInt64 = 0, segments: UInt32 = 0, dropsWhenFull: Bool = false) {
        self.segmentBytes = segmentBytes
        self.segments = segments
        self.dropsWhenFull = dropsWhenFull
    }
}
